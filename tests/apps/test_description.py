"""The API description is accepted by generators of clients.

Each rule avoids an error or a poor name in openapi-python-client or openapi-typescript.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.apps.test_edge import run
from tests.support.within import Within

Schema = dict[str, Any]
# Bodies and answers that generators accept; they skip others, or the whole operation.
KNOWN = {"application/json", "application/problem+json", "multipart/form-data", "application/octet-stream"}  # fmt: skip


def operations(description: Schema) -> Iterator[tuple[str, Schema]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def below(value: Any) -> Iterator[Schema]:
    """Yield every object of a document."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from below(one)
    elif isinstance(value, list):
        for one in value:
            yield from below(one)


def test_generators_accept_the_whole_description(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        described = json.loads((await web.get("/openapi.json")).body)
        schemas = described["components"]["schemas"]
        assert described["servers"][0]["url"].startswith("http"), "a client needs no other address"
        names = [operation["operationId"] for _, operation in operations(described)]
        assert len(names) == len(set(names)) >= 20
        assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names), names
        assert all(re.fullmatch("[A-Z][A-Za-z]+", name) for name in schemas), "no module, no number"
        for one in below(described):
            if "$ref" in one:
                assert one["$ref"].rpartition("/")[2] in schemas, one
            if "enum" in one and {"type": "null"} in one.get("oneOf", ()):
                assert None in one["enum"], (one, "else null is none of its values")
        for name, operation in operations(described):
            bodies = operation.get("requestBody", {}).get("content", {})
            assert len(bodies) <= 1, f"{name}: of several bodies each is a function"
            assert bodies.keys() <= KNOWN, name
            for body in bodies.values():
                schema = body["schema"]
                assert schema.get("format") == "binary" or "example" in body, name
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                assert "type" in schema, (name, parameter["name"], "no null comes in an address")
            for status, answer in operation["responses"].items():
                assert answer["description"], (name, status)
                assert answer.get("content", {"application/json": 0}).keys() & KNOWN, name

    run(database_url, tmp_path, act)


def test_example_of_body_is_accepted(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        described = web.app.state.description.made()
        seen = 0
        for name, operation in operations(described):
            for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                if "example" not in body:
                    continue
                schema = body["schema"]
                if "$ref" in schema:
                    schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                given = body["example"].keys() | ({"document"} & schema["properties"].keys())
                assert set(schema.get("required", ())) <= given <= schema["properties"].keys(), (
                    name,
                    kind,
                )
                seen += 1
        assert seen >= 4

    run(database_url, tmp_path, act)
