"""What the framework cannot tell of our API from its handlers: added to its description.

Refusals are problem+json with our code; two commands need an Idempotency-Key; bodies that are
files are files; checking needs no key.
"""

from collections.abc import Iterator
from typing import Any

from meterai.plumbing.http import PROBLEM

Schema = dict[str, Any]

NEEDS_KEY = ("/v1/orders", "/v1/stampings")
NEEDS_NO_SIGN_IN = (
    "/v1/verifications",
    "/v1/stamps/{serial}",
    "/v1/claims/{serial}/{claim}",
    "/v1/claim-keys",
)
_PREFIX = "/v1/"

IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Made by you, kept until you have the answer; a repeat finds the first.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457). Further members are the facts of this code.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "where the code is explained"},
        "title": {"type": "string", "description": "a sentence in the reader's language"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable: branch on this"},
    },
    "additionalProperties": True,
}
_REFUSED: Schema = {
    "description": "Refused",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PLACEMENT: Schema = {
    "type": "string",
    "description": "JSON: one placement or a list of them, in points from the lower left of the "
    'page as it is seen; page 1 is the first, -1 the last: {"page": 1, "x": 400, "y": 60, '
    '"width": 80}',
}
_DOCUMENT = (
    "the PDF; a damaged one is repaired first, and the answer says `repaired`; one that needs a "
    "password to open is refused with `document_encrypted`"
)
_BODIES: dict[str, Schema] = {
    "/v1/verifications": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    "/v1/stampings": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["document", "placement"],
                "properties": {
                    "document": {"type": "string", "format": "binary", "description": _DOCUMENT},
                    "placement": _PLACEMENT,
                },
            }
        }
    },
}
_FILES = {
    "/v1/stampings/{stamping_id}/document": "application/pdf",
    "/v1/stampings/{stamping_id}/delta": "application/octet-stream",
}


def _operations(description: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in description["paths"].items():
        if path.startswith(_PREFIX):
            for method, operation in methods.items():
                yield path, method, operation


def completed(description: Schema) -> Schema:
    """The description with what is missing from it; changed in place and returned."""
    description["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path, method, operation in _operations(description):
        operation["responses"].pop("400", None)
        operation["responses"]["default"] = _REFUSED
        if path in NEEDS_NO_SIGN_IN:
            operation["security"] = []
        if method == "get" and path in _FILES:
            file = {_FILES[path]: {"schema": {"type": "string", "format": "binary"}}}
            operation["responses"]["200"]["content"] = file
        if method != "post":
            continue
        if path in NEEDS_KEY:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        if path in _BODIES:
            operation["requestBody"] = {"required": True, "content": _BODIES[path]}
    return description
