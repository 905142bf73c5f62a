"""API reference pages: content from the OpenAPI description and the refusal classes; pure."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from meterai.kit.refusal import CommandRefusal, Refusal
from meterai.plumbing.http.described import Examples, example_of
from meterai.plumbing.messages import LocalTime, catalogue, translate

Schema = Mapping[str, Any]
IDEMPOTENCY = "Idempotency-Key"
_DEPTH_MAX = 4  # levels of nested objects that are listed
_PREFIX = "/v1/"
_REFUSAL = "refusal."
_EXPECTED = "expected."
_FILE_EXAMPLE = "@surat.pdf"
# File names in the curl examples, by path.
_FILES = {"/v1/shop/logo": "@logo.png", "/v1/batches/{batch_id}/rows": "@rows.jsonl"}
_FILE_TYPE = "binary"  # `format` of a file in the OpenAPI description


@dataclass(frozen=True, slots=True)
class DocumentedField:
    """A parameter, or a field of a body or an answer; the `name` of a nested field is a path with dots."""

    name: str
    type: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API."""

    method: str
    path: str
    anchor: str
    tag: str
    summary: str
    description: str
    parameters: tuple[DocumentedField, ...]
    body_type: str
    body: tuple[DocumentedField, ...]
    answer_status: str
    answer: tuple[DocumentedField, ...]
    url: str  # of the instance
    is_public: bool  # needs no key
    examples: Examples

    @property
    def curl(self) -> str:
        """An example request as a curl command."""
        return _curl(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """A code in an error response, with its HTTP status, its sentence in each language, and the refusal class that has it
    (`kind`; None for a code without a class).
    """

    code: str
    status: int
    texts: Mapping[str, str]
    kind: type[Refusal] | None = None


def _resolved(schema: Schema, components: Schema) -> Schema:
    reference = schema.get("$ref")
    return components[reference.rsplit("/", 1)[-1]] if reference else schema


def _type_of(schema: Schema, components: Schema) -> str:
    schema = _resolved(schema, components)
    if alternatives := schema.get("oneOf") or schema.get("anyOf"):
        return " | ".join(_type_of(one, components) for one in alternatives)
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(kind)
    if kind == "array":
        return f"array of {_type_of(schema.get('items', {}), components)}"
    return str(schema.get("format") or kind)


def members(schema: Schema, components: Schema, prefix: str = "") -> Iterator[DocumentedField]:
    """Yield the fields of an object and of its nested objects, up to `_DEPTH_MAX` levels."""
    schema = _resolved(schema, components)
    if prefix.count(".") > _DEPTH_MAX:
        return
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        yield DocumentedField(f"{prefix}{name}", _type_of(inner, components), name in required)
        below = _resolved(inner, components)
        if below.get("type") == "array":
            yield from members(below.get("items", {}), components, f"{prefix}{name}[].")
        else:
            yield from members(below, components, f"{prefix}{name}.")


def _content(holder: Schema, components: Schema) -> tuple[str, tuple[DocumentedField, ...]]:
    for media_type, content in holder.get("content", {}).items():
        return media_type, tuple(members(content.get("schema", {}), components))
    return "", ()


def _answer(operation: Schema, components: Schema) -> tuple[str, tuple[DocumentedField, ...]]:
    for status, answer in operation.get("responses", {}).items():
        if status.startswith("2"):
            return status, _content(answer, components)[1]
    return "", ()


def _curl(operation: Operation) -> str:
    address, body_type, body = operation.path, operation.body_type, operation.body
    for name, example in operation.examples.items():
        address = address.replace("{" + name + "}", example)
    parts = ["curl"] if operation.is_public else ["curl", "-H 'Authorization: Bearer mtr_...'"]
    if any(one.name.startswith(IDEMPOTENCY) for one in operation.parameters):
        parts.append(f"-H '{IDEMPOTENCY}: 7f1c2a9e'")
    if body_type == "multipart/form-data":
        fields = (_form_example(operation, one) for one in body)
        parts.append(" ".join(f"-F {shlex.quote(one)}" for one in fields))
    elif body_type == "application/json":
        told = ", ".join(
            f'"{one.name}": {_json_example(operation, one)}' for one in body if "." not in one.name
        )
        parts.append(f"--json {shlex.quote('{' + told + '}')}")
    elif body_type:
        file = _FILES.get(operation.path, _FILE_EXAMPLE)
        parts.append(f"-H 'Content-Type: {body_type}' --data-binary {file}")
    if operation.method != ("POST" if body_type else "GET"):
        parts.append(f"-X {operation.method}")
    return " \\\n  ".join([*parts, f"{operation.url}{address}"])


def _form_example(operation: Operation, member: DocumentedField) -> str:
    name = member.name
    if member.type.endswith(_FILE_TYPE):
        return f"{name}={_FILE_EXAMPLE}"
    return f"{name}={example_of(operation.examples, operation.path, name) or '...'}"


def _json_example(operation: Operation, member: DocumentedField) -> str:
    example = operation.examples.get(member.name, "...")
    is_text = not member.type.startswith(("integer", "object", "array"))
    return f'"{example}"' if is_text else example


def operations(description: Schema, url: str, examples: Examples) -> list[Operation]:
    """Return every operation of the API, in the order of the description."""
    components = description.get("components", {}).get("schemas", {})
    found = []
    for path, methods in description.get("paths", {}).items():
        if not path.startswith(_PREFIX):
            continue
        for method, operation in methods.items():
            body_type, body = _content(operation.get("requestBody", {}), components)
            status, answer = _answer(operation, components)
            found.append(
                Operation(
                    method=method.upper(),
                    path=path,
                    anchor=operation.get("operationId", f"{method}{path}"),
                    tag=next(iter(operation.get("tags", ())), ""),
                    summary=operation.get("summary", ""),
                    description=operation.get("description", ""),
                    parameters=tuple(
                        DocumentedField(
                            f"{one['name']} ({one['in']})",
                            _type_of(one.get("schema", {}), components),
                            one.get("required", False),
                        )
                        for one in operation.get("parameters", ())
                    ),
                    body_type=body_type,
                    body=body,
                    answer_status=status,
                    answer=answer,
                    url=url,
                    is_public=operation.get("security") == [],
                    examples=examples,
                )
            )
    return found


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _without_facts(key: str, language: str) -> str:
    """Return the sentence of a message key in a language, with an ellipsis in place of each variable part."""
    fact = LocalTime("…")
    fact.clock = "…"
    fields = (field for _, field, _, _ in Formatter().parse(catalogue()[key][language]) if field)
    return translate(key, language, **{field.partition(".")[0]: fact for field in fields})


def expectations() -> list[Problem]:
    """Return the codes that the field `expected` of an error about a malformed field may contain, sorted by name."""
    return [
        Problem(key.removeprefix(_EXPECTED), 422, {one: _without_facts(key, one) for one in texts})
        for key, texts in sorted(catalogue().items())
        if key.startswith(_EXPECTED)
    ]


def problems() -> list[Problem]:
    """Return every refusal code that a request may get, sorted by name.

    The sentences have an ellipsis in place of each variable part.
    """
    # Refusals of commands are left out: a web process does not load their classes, or they are marked.
    statuses: dict[str, int] = {"fault": 500, "method_not_allowed": 405, "request_too_large": 413}
    kinds: dict[str, type[Refusal]] = {}
    for kind in _kinds(Refusal):
        if hasattr(kind, "code") and not issubclass(kind, CommandRefusal):
            statuses.setdefault(kind.code, kind.status)
            kinds.setdefault(kind.code, kind)
    return [
        Problem(
            code,
            status,
            {one: _without_facts(_REFUSAL + code, one) for one in texts},
            kinds.get(code),
        )
        for code, status in sorted(statuses.items())
        if (texts := catalogue().get(_REFUSAL + code))
    ]
