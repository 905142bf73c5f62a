"""What the framework cannot tell of our API from its handlers: added to its description.

Refusals are problem+json with our code, and which statuses they have; two commands need an
Idempotency-Key; bodies that are files are files; checking needs no key; which words a state or a
verdict can be.  That all of it is so is tried with random requests (tests/apps/test_strangers.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meterai.orders import OrderKind, OrderState
from meterai.payments import AttemptState
from meterai.payments.room import RAILS
from meterai.plumbing.http import PROBLEM
from meterai.refunds import RefundCause, RefundState
from meterai.stamping import StampingState
from meterai.stamps import StampState
from meterai.verification import ClaimVerdict, FinalVerdict

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
_CONTENT: Schema = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSED: Schema = {"description": "Refused", "content": _CONTENT}
_AGAIN: Schema = {
    "Retry-After": {
        "description": "seconds until the same request may succeed",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_STATUSES: Mapping[int, Schema] = {
    400: {
        "description": "A header came twice, the Idempotency-Key is missing, or the body did not "
        "arrive whole"
    },
    401: {"description": "No key, or one that opens nothing"},
    404: {"description": "No such thing, or not yours"},
    408: {"description": "The body arrived too slowly"},
    409: {"description": "The state of things does not allow it; the code says what"},
    410: {"description": "The original is not kept any more; its delta is"},
    413: {"description": "The body is too large"},
    422: {"description": "A field, a header or the document cannot be used; the code says what"},
    503: {"description": "Not now; nothing was charged", "headers": _AGAIN},
}
# What a field can be, beyond its type.  Other integers count something: they are 0 or more.
_WORDS: Mapping[tuple[str, str], Sequence[str]] = {
    ("OrderView", "state"): list(OrderState),
    ("OrderView", "kind"): list(OrderKind),
    ("OrderView", "currency"): ["IDR"],
    ("PaymentView", "method"): [method for kind in RAILS for method in kind.methods],
    ("PaymentView", "state"): list(AttemptState),
    ("AccountNumber", "kind"): ["account_number"],
    ("Redirect", "kind"): ["redirect"],
    ("RefundView", "state"): list(RefundState),
    ("RefundView", "cause"): list(RefundCause),
    ("RefundView", "currency"): ["IDR"],
    ("StampView", "state"): list(StampState),
    ("StampingView", "state"): list(StampingState),
    ("VerificationView", "verdict"): list(FinalVerdict),
    ("ClaimView", "verdict"): list(ClaimVerdict),
    ("ClaimKeyView", "algorithm"): ["Ed25519"],
}
_LEAST = {("OrderRequest", "quantity"): 1, ("PlaceView", "page"): 1}
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


def _statuses(path: str, method: str) -> Iterator[int]:
    """The statuses of refusals that an operation can have."""
    yield from (400, 422, 503)
    if path not in NEEDS_NO_SIGN_IN:
        yield 401
    if "{" in path:
        yield 404
    if path in _FILES:
        yield from (409, 410)
    if method == "post":
        # A body that nobody asked for is not read.
        yield from (408, 413)
        if path not in NEEDS_NO_SIGN_IN:
            yield 409
        if path == "/v1/refunds":
            yield 404


def _narrow_fields(schemas: Schema) -> None:
    for schema, described in schemas.items():
        for name, field in described.get("properties", {}).items():
            if words := _WORDS.get((schema, name)):
                field["enum"] = [str(word) for word in words]
            elif field.get("type") == "integer":
                field["minimum"] = _LEAST.get((schema, name), 0)


def completed(description: Schema) -> Schema:
    """The description with what is missing from it; changed in place and returned."""
    schemas = description["components"].setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    _narrow_fields(schemas)
    for path, method, operation in _operations(description):
        operation["responses"].pop("400", None)
        for status in _statuses(path, method):
            operation["responses"][str(status)] = _STATUSES[status] | {"content": _CONTENT}
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
