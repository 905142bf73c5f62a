"""Additions to the API description that the framework cannot derive from handlers.

These are: the refusals as problem+json, with their codes and statuses; the mark that a public operation needs no key;
the possible values of fields (`fields` of a `Room`); and the facts that a route declares
(`plumbing/http/described.py`). Random requests test the whole description (tests/apps/test_strangers.py).
"""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from threading import Lock

import msgspec
from litestar import Litestar
from litestar.routes import BaseRoute, HTTPRoute

from meterai.accounts import Permission
from meterai.apps.rooms import ROOMS, examples_of
from meterai.plumbing.http.described import (
    FILE,
    NOTHING_MORE,
    Described,
    Examples,
    FieldDescription,
    Schema,
    example_of,
)
from meterai.plumbing.http.problems import PROBLEM
from meterai.portal import reference
from meterai.room import Rooms

_PREFIX = "/v1/"
_FILE_BYTES = "application/octet-stream"  # for generated clients that have no type for PDF

IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": (
        "A key chosen by you and kept until you have the answer; a repeat with it "
        "returns the first answer."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457). Further members are the facts of the code.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "address of the explanation of the code"},
        "title": {"type": "string", "description": "a sentence in the reader's language"},
        "status": {"type": "integer"},
        "code": {
            "type": "string",
            "description": (
                "stable, so that programs can branch on it; later versions may add codes"
            ),
            "x-extensible-enum": [],
        },
        "request_id": {"type": "string", "description": "Request-Id of this answer"},
        "field": {
            "type": "string",
            "description": ("for `malformed`: the field that cannot be read"),
        },
        "expected": {
            "type": "string",
            "description": (
                "for `malformed`: a stable code of the expected form; later versions may add codes"
            ),
            "x-extensible-enum": [],
        },
    },
    "additionalProperties": True,
}
_CONTENT: Schema = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSED: Schema = {"description": "Refused", "content": _CONTENT}
_AGAIN: Schema = {
    "Retry-After": {
        "description": "seconds until the same request may succeed",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_REQUEST_ID: Schema = {
    "Request-Id": {
        "description": "the identifier of this request in logs; your own if you sent one",
        "schema": {"type": "string"},
    }
}
_REPLAYED: Schema = {
    "Idempotent-Replayed": {
        "description": (
            "true if an earlier request with this key had this effect; otherwise absent"
        ),
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_LIMIT: Schema = {
    name: {"description": told, "schema": {"type": "string"}}
    for name, told in {
        "RateLimit": "the number of further requests that would begin at once (`concurrent`); "
        "with a refusal by another limit, zero left of that limit, and the seconds "
        "until it is reset",
        "RateLimit-Policy": "the number of requests that are processed at once (`concurrent`); "
        "with a refusal by another limit, the size of that limit",
    }.items()
}
_STATUSES: Mapping[int, Schema] = {
    400: {
        "description": "A header came twice, the Idempotency-Key is missing, or the body was "
        "incomplete"
    },
    401: {"description": "The key is missing or not valid"},
    404: {"description": "The object does not exist or is not yours"},
    408: {"description": "The body arrived too slowly"},
    409: {
        "description": "The state of the object does not allow it; the code gives the reason",
        "headers": _AGAIN,
    },
    410: {"description": "The original is no longer kept; its delta is"},
    413: {"description": "The body is too large"},
    415: {"description": "The body has an unsupported type, or is compressed"},
    422: {
        "description": (
            "A field, a header or the document cannot be used; the code gives the reason"
        )
    },
    429: {
        "description": "The limit for a period is reached",
        "headers": _AGAIN,
    },
    503: {
        "description": "Not possible now. With `busy`, `database_away` and `storage_full` the "
        "request may have been carried out: a repeat with the same "
        "Idempotency-Key returns the result, and nothing is charged twice",
        "headers": _AGAIN,
    },
}


@dataclass(frozen=True, slots=True)
class _Route:
    """An operation of the API: its OpenAPI description, and the facts that its route declares."""

    name: str
    path: str
    method: str
    operation: Schema
    described: Described
    is_public: bool


def _operations(description: Schema, routes: Iterable[BaseRoute]) -> Iterator[_Route]:
    for route in routes:
        if not isinstance(route, HTTPRoute) or not route.path_format.startswith(_PREFIX):
            continue
        for handler in route.route_handlers:
            for method in handler.http_methods:
                operation = description["paths"][route.path_format].get(method.lower())
                if operation is not None:
                    yield _Route(
                        handler.handler_name,
                        route.path_format,
                        method.lower(),
                        operation,
                        handler.opt.get("described", NOTHING_MORE),
                        handler.opt["permission"] is Permission.PUBLIC,
                    )


def _statuses(route: _Route) -> Iterator[int]:
    """Yield the HTTP statuses of the refusals that an operation can answer."""
    yield from (400, 422, 503)
    if not route.is_public:
        yield 401
    # The parameter `before` of a list is an id, which may be unknown.
    named = {one.get("name") for one in route.operation.get("parameters", ())}
    if "{" in route.path or "before" in named:
        yield 404
    if route.described.file:
        yield from (409, 410)
    if route.method in ("post", "put"):
        # Only these methods read a body, which can come too slowly or be too large.
        yield from (408, 413)
        if not route.is_public:
            yield 409
    yield from route.described.refuses


def _narrow_fields(schemas: Schema, fields: Mapping[tuple[str, str], FieldDescription]) -> None:
    """Set the possible values of text fields, and the minimum of number fields.

    An integer that no room describes is a count, with the minimum 0.
    """
    for schema, described in schemas.items():
        for name, field in described.get("properties", {}).items():
            told = fields.get((schema, name), FieldDescription())
            if told.words:
                may_be_null = {"type": "null"} in field.get("oneOf", ())
                field["enum"] = [*map(str, told.words), *([None] if may_be_null else [])]
            elif field.get("type") == "integer":
                field["minimum"] = told.least


def _plain_parameter(parameter: Schema, examples: Examples) -> None:
    """Simplify the description of a parameter, and add its example. The type null is removed, because a query cannot contain
    it; flags with their default, false, are removed too.
    """
    told = parameter["schema"]
    for one in told.pop("oneOf", ()):
        if one != {"type": "null"}:
            parameter["schema"] = told = one | told
    told.pop("description", None)
    for name in ("deprecated", "allowEmptyValue", "allowReserved"):
        parameter.pop(name, None)
    if (example := examples.get(parameter["name"])) is not None:
        parameter["example"] = example


def _complete_body(route: _Route, schemas: Schema, examples: Examples) -> None:
    """Complete the description of a request body, with an example."""
    operation, described = route.operation, route.described
    if described.body:
        content = {kind: {"schema": schema} for kind, schema in described.body.items()}
        operation["requestBody"] = {"required": True, "content": content}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
            schema["additionalProperties"] = False  # unknown fields are refused
        fields = schema.get("properties", {})
        if fields:
            content["example"] = {
                name: _example(text, field)
                for name, field in fields.items()
                if (text := example_of(examples, route.path, name)) is not None
            }


def _example(text: str, field: Schema) -> object:
    kinds = {one.get("type", "object") for one in field.get("oneOf", (field,))}
    is_json = not kinds.isdisjoint(("integer", "object", "array"))
    return msgspec.json.decode(text) if is_json else text


def _complete_answers(route: _Route) -> None:
    answers = route.operation["responses"]
    answers.pop("400", None)
    for status in _statuses(route):
        answers[str(status)] = _STATUSES[status] | {"content": _CONTENT}
    answers["default"] = _REFUSED
    if file := route.described.file:
        answers["200"]["content"] = {kind: {"schema": FILE} for kind in (file, _FILE_BYTES)}
    for kind, schema in route.described.also.items():
        answers["200"]["content"][kind] = {"schema": schema}
    for status, answer in answers.items():
        more = _REPLAYED if route.described.needs_key and status.startswith("2") else {}
        more |= {} if route.is_public else _LIMIT
        answers[status] = answer | {"headers": answer.get("headers", {}) | _REQUEST_ID | more}


class Description:
    """The API description of an application. It is made when it is first asked for, because that takes a third of a second
    which no start of a process should wait for.
    """

    def __init__(self, app: Litestar, url: str, rooms: Rooms = ROOMS) -> None:
        """`url` is the public address of the API."""
        self._app, self._url, self._rooms = app, url, rooms
        self._made: Schema | None = None
        self._making = Lock()

    async def ready(self) -> Schema:
        """Return the description. A thread makes it, while the application answers other requests."""
        if self._made is not None:
            return self._made
        return await to_thread(self.made)

    def made(self) -> Schema:
        """Return the description, made in the calling thread."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Schema:
        told = self._app.openapi_schema.to_schema() | {"servers": [{"url": self._url}]}
        return completed(told, self._app.routes, self._rooms)


def completed(description: Schema, routes: Iterable[BaseRoute], rooms: Rooms = ROOMS) -> Schema:
    """Complete the API description in place, and return it."""
    schemas = description["components"].setdefault("schemas", {})
    schemas["Problem"] = _problem_schema()
    examples = examples_of(rooms)
    _narrow_fields(schemas, {of: field for room in rooms for of, field in room.fields.items()})
    for route in _operations(description, routes):
        operation, described = route.operation, route.described
        operation["operationId"] = route.name
        operation.pop("deprecated", None)
        _complete_answers(route)
        _complete_body(route, schemas, examples)
        parameters = operation.setdefault("parameters", [])
        for parameter in parameters:
            _plain_parameter(parameter, examples)
        if route.is_public:
            operation["security"] = []
        if described.needs_key:
            parameters.append(IDEMPOTENCY_KEY)
        parameters += [
            {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}
            for name, told in described.headers.items()
        ]
    return description


def _problem_schema() -> Schema:
    found = deepcopy(PROBLEM_SCHEMA)
    fields = found["properties"]
    fields["code"]["x-extensible-enum"] = [one.code for one in reference.problems()]
    fields["expected"]["x-extensible-enum"] = [one.code for one in reference.expectations()]
    return found
