"""Query parameters: a route accepts exactly those that it declares."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from meterai.accounts import Permission
from meterai.apps.web import OWN
from meterai.kit.ids import new_id
from tests.apps.test_edge import JSON, a_key, handlers, run
from tests.support.within import Asking, Within


def test_unknown_parameter_is_refused_by_every_route_of_the_api(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        headers = [(name.lower().encode(), value.encode()) for name, value in key.items()]
        # Names of injected values are no parameters; names are case-sensitive.
        for name in ("executed", "account", "orders", "Limit", "utm_source", "", "x\u202e"):
            asked = 0
            for method, path, handler in handlers(web):
                if not path.startswith("/v1/") and handler not in OWN:
                    continue
                asked += 1
                known = _known(web, path, method)
                first = "limit=1&" if "limit" in known else ""
                given = await web.ask(Asking(method, f"{path}?{first}{name}=yes".encode(), headers))
                problem = json.loads(given.body)
                assert (given.status, problem["code"]) == (422, "parameter_unknown"), given
                assert problem["parameter"] == name.replace("\u202e", ""), path
                assert problem["known"] == known, path
                assert "{" not in problem["title"], problem
            assert asked >= 18

    run(database_url, tmp_path, act)


def test_nul_in_an_address_is_refused_by_every_route(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        headers = [(name.lower().encode(), value.encode()) for name, value in key.items()]
        for method, path, handler in handlers(web):
            if handler.opt["permission"] == Permission.PROVIDER:
                continue
            for name in ("reference", "request_id", "q"):
                given = await web.ask(Asking(method, f"{path}?{name}=a%00b".encode(), headers))
                told = json.loads(given.body)
                assert (given.status, told.get("field")) == (422, name), (path, given)
            if path.endswith("/x"):
                given = await web.ask(Asking(method, f"{path}%00".encode(), headers))
                assert given.status == 404, (method, path, handler)

    run(database_url, tmp_path, act)


def _known(web: Within, path: str, method: str) -> list[str]:
    """Query parameters of an operation in the API description."""
    templates = {
        re.sub(r"\{\w+\}", "x", one): operations
        for one, operations in web.app.state.description.made()["paths"].items()
    }
    operation = templates.get(path, {}).get(method.lower(), {})
    return sorted(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.0", "1e2", "", "9" * 30])
def test_size_of_list_page_is_within_description_or_refused(
    database_url: str, tmp_path: Path, limit: str
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        for path in _lists(web):
            given = await web.get(f"{path}?limit={limit}", key)
            told = json.loads(given.body)
            assert (given.status, told["code"], told["field"]) == (422, "malformed", "limit"), given

    run(database_url, tmp_path, act)


def _lists(web: Within) -> list[str]:
    paths = web.app.state.description.made()["paths"]
    found = [path for path in paths if "limit" in _known(web, path, "GET")]
    assert len(found) >= 2
    return found


def test_cursor_of_another_list_is_refused(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        for path in _lists(web):
            given = await web.get(f"{path}?before=key_{'0' * 26}", key)
            assert given.status == 404, given
            told = web.app.state.description.made()["paths"][path]["get"]
            is_read = "before" in {one["name"] for one in told["parameters"]}
            assert not is_read or "404" in told["responses"], path

    run(database_url, tmp_path, act)


def _valid(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """The smallest value that a schema allows."""
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" in schema:
        required = schema.get("required", ())
        return {field: _valid(schema["properties"][field], schemas) for field in required}
    days = {"date": "2026-11-30", "date-time": "2026-11-30T12:00:00+07:00"}
    text = schema.get("enum", [days.get(schema.get("format", ""), "x")])[0]
    return {"integer": 1, "array": []}.get(schema.get("type", ""), text)


def test_unknown_field_is_refused_by_every_command_of_the_api(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within) -> None:
        key = await a_key(web)
        schemas = web.app.state.description.made()["components"]["schemas"]
        asked = 0
        for path, methods in web.app.state.description.made()["paths"].items():
            content = methods.get("post", {}).get("requestBody", {}).get("content", {})
            name = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            if not name or not path.startswith("/v1/"):
                continue
            schema = schemas[name.rpartition("/")[2]]
            assert schema["additionalProperties"] is False, name
            right = _valid(schema, schemas)
            assert isinstance(right, dict)
            headers = key | JSON | {"Idempotency-Key": str(new_id())}
            given = await web.post(path, json.dumps(right | {"quantiti": 1}).encode(), headers)
            told = json.loads(given.body)
            assert (given.status, told["code"], told["field"]) == (422, "malformed", "quantiti")
            asked += 1
        assert asked >= 3

    run(database_url, tmp_path, act)
