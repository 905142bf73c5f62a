"""The Python client equals the description of the API: routes, parameters, bodies and answers."""

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import Any

import msgspec
import pytest
from meterai_client import At, Facts, Meterai
from meterai_client.calling import NOTHING, Call, Try
from meterai_client.operations import Pages, Resource, listing, operation

from tests.support.instance import Instance

Schema = dict[str, Any]

# Routes that the client does not call, each with a reason.
LEFT_OUT: Mapping[str, str] = {
    "/snap/": "banks tell us of payments there",
    "/midtrans/": "a provider tells us of payments there",
    "/v1/deposit/statement.": "by one method, whose argument is the kind of file",
    "/v1/collector/months/month/documents.": "the same",
}
FACTS = Facts(type="4a", party_name="PT Contoh")
# Arguments of methods. Others get their own name, which then appears in the path.
ARGUMENTS: Mapping[str, Any] = {
    "quantity": 1,
    "placement": At(1, 2, 3),
    "placements": At(1, 2, 3),
    "document": b"%PDF",
    "documents": [b"%PDF"],
    "metadata": {"a": "b"},
    "page_size": 1,
    "progress": None,
    "since": datetime(2026, 11, 30, tzinfo=UTC),
    "events": ["*"],
    "lines": b"{}",
    "kind": "csv",
    "stamping": "stamping_id",
    "into": "/nowhere/file",
    "archive": b"PK",
    "table": b"file",
    "rows": [],
    "serials": [],
    "claims": [],
    "orders": True,
    "picture": b"\x89PNG",
    "seller_fee": 1,
    "timeout_seconds": 1.0,
}


@dataclass(frozen=True)
class Made:
    """A call that a method makes, and the type as which its answer is read."""

    name: str
    call: Call[Any]
    answer: Any

    @property
    def key(self) -> tuple[str, str]:
        return self.call.method.lower(), self.call.path


def calls() -> Iterator[Made]:
    """The first call of each method of a client."""
    with Meterai("http://127.0.0.1:9", "mtr_key") as client:
        resources = {name: one for name, one in vars(client).items() if isinstance(one, Resource)}
        for group, resource in resources.items():
            for name, method in vars(type(resource)).items():
                if not isinstance(method, operation | listing):
                    continue
                names = list(inspect.signature(method._function).parameters)[1:]
                given = {one: ARGUMENTS.get(one, one) for one in names}
                if "facts" in given:
                    given["facts"] = [FACTS] if "documents" in given else FACTS
                made = method._function(resource, **given)
                if isinstance(made, Pages):
                    yield Made(f"{group}.{name}", made.first, made.item)
                else:
                    step = next(made)
                    assert isinstance(step, Try)
                    yield Made(f"{group}.{name}", step.call, step.call.answer)


@pytest.fixture(scope="module")
def described(instance: Instance) -> Schema:
    found: Schema = instance.anybody().get("/openapi.json").json
    return found


def operations(described: Schema) -> dict[tuple[str, str], Schema]:
    """Operations by method and path, with parameters by their names."""
    return {
        (method, re.sub(r"\{(\w+)\}", r"\1", path)): one
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    }


def test_every_route_has_a_method_or_a_reason_to_lack_one(described: Schema) -> None:
    known = {one.key for one in calls()}
    missing = [
        key
        for key in operations(described)
        if key not in known and not key[1].startswith(tuple(LEFT_OUT))
    ]
    assert missing == []
    assert known <= operations(described).keys()


def test_every_sent_parameter_belongs_to_the_route(described: Schema) -> None:
    of_route = operations(described)
    for made in calls():
        told = of_route[made.key].get("parameters", [])
        names = {
            place: {one["name"] for one in told if one["in"] == place}
            for place in ("query", "header")
        }
        # The first page has no `before`, and the client itself waits for the QR.
        known = set(made.call.query)
        paged = {"before"} & names["query"]
        assert known | paged == names["query"], made.name
        assert made.call.headers.keys() == names["header"] - {"Prefer"}, made.name


def test_every_body_has_the_fields_of_the_route(described: Schema) -> None:
    schemas = described["components"]["schemas"]
    of_route = operations(described)
    for made in calls():
        content = of_route[made.key].get("requestBody", {}).get("content", {})
        body = made.call.body
        assert (body is None) == (not content), made.name
        if body is None:
            continue
        sent = b"".join(body.chunks())
        kind = body.content_type.partition(";")[0]
        if kind not in ("application/json", "multipart/form-data"):
            continue  # a file
        schema = content[kind]["schema"]
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        assert names_of(body.content_type, sent) == schema["properties"].keys(), made.name


def names_of(content_type: str, sent: bytes) -> set[str]:
    if content_type == "application/json":
        return set(msgspec.json.decode(sent, type=dict[str, Any]))
    read = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + sent)
    return {str(part.get_param("name", header="Content-Disposition")) for part in read.walk()} - {
        "None"
    }


def test_every_answer_has_the_fields_of_the_route(described: Schema) -> None:
    schemas = described["components"]["schemas"]
    of_route = operations(described)
    seen: set[str] = set()
    for made in calls():
        if made.call.target is not None:
            continue
        answers = of_route[made.key]["responses"]
        (good,) = (one for status, one in answers.items() if status.startswith("2"))
        if made.call.answer is NOTHING:
            assert "content" not in good, made.name
            continue
        schema = good["content"]["application/json"]["schema"]
        if made.call.answer == dict[str, msgspec.Raw]:
            page = schemas[schema["$ref"].rpartition("/")[2]]["properties"]
            (schema,) = (one["items"] for one in page.values() if one.get("type") == "array")
        fits(made.name, made.answer, schema, schemas, seen)
    assert len(seen) > 30


def fits(name: str, kind: Any, schema: Schema, schemas: Schema, seen: set[str]) -> None:
    """Check that a type of the client can read everything that a schema describes."""
    may_be_null = False
    if "oneOf" in schema:
        kinds = [one for one in schema["oneOf"] if one != {"type": "null"}]
        may_be_null = len(kinds) < len(schema["oneOf"])
        if len(kinds) > 1:
            return  # instructions, of which more kinds may be added
        schema = kinds[0]
    inner = [one for one in typing.get_args(kind) if one is not types.NoneType]
    if isinstance(kind, types.UnionType):
        assert may_be_null, f"{name} is never null"
        kind = inner[0]
    else:
        assert not may_be_null, f"{name} may be null"
    schema = schema.get("allOf", [schema])[0]
    if schema.get("type") == "array":
        fits(f"{name}[]", typing.get_args(kind)[0], schema["items"], schemas, seen)
        return
    if "$ref" not in schema:
        assert not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)), name
        return
    title = schema["$ref"].rpartition("/")[2]
    seen.add(title)
    fields = {one.name: one for one in msgspec.structs.fields(kind)}
    properties = schemas[title]["properties"]
    assert fields.keys() == properties.keys(), title
    for field, one in fields.items():
        told = properties[field]
        if field not in schemas[title].get("required", ()):
            assert not one.required, f"{title}.{field} may be left out"
            if one.default is None:
                # A field with the default None may be left out.
                told = {"oneOf": [*told.get("oneOf", [told]), {"type": "null"}]}
        if field != "instructions":
            fits(f"{title}.{field}", one.type, told, schemas, seen)
