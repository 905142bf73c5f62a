"""SNAP BI response codes: three digits of HTTP status, two of service, two of case."""

import json
from enum import Enum

from aiohttp import web

MESSAGE_CHARACTERS_MAX = 150  # SNAP BI, responseMessage


class Case(Enum):
    """The cases this bank answers with: HTTP status, case, text (SNAP BI, response codes)."""

    BAD_REQUEST = (400, "00", "Bad Request")
    INVALID_FIELD = (400, "01", "Invalid Field Format")
    MISSING_FIELD = (400, "02", "Invalid Mandatory Field")
    UNAUTHORIZED = (401, "00", "Unauthorized.")
    INVALID_TOKEN = (401, "01", "Invalid Token (B2B)")
    TOKEN_NOT_FOUND = (401, "03", "Token Not Found (B2B)")
    EXCEEDS_AMOUNT = (403, "02", "Exceeds Transaction Amount Limit")
    NOT_FOUND = (404, "01", "Transaction Not Found")
    INVALID_MERCHANT = (404, "08", "Invalid Merchant")
    INCONSISTENT = (404, "18", "Inconsistent Request")
    NOT_SUPPORTED = (405, "00", "Requested Function Not Supported")
    NOT_ALLOWED = (405, "01", "Requested Operation Not Allowed")
    CONFLICT = (409, "00", "Conflict")
    DUPLICATE = (409, "01", "Duplicate partnerReferenceNo")
    GENERAL_ERROR = (500, "00", "General Error")
    TIMEOUT = (504, "00", "Timeout")


class Refused(Exception):
    """The bank refuses a call with this case of SNAP BI.

    `detail` goes into responseMessage: a field name or a reason, never a secret.
    """

    def __init__(self, case: Case, detail: str = "") -> None:
        self.status, self.case, text = case.value
        self.message = f"{text} {detail}".strip()[:MESSAGE_CHARACTERS_MAX]
        super().__init__(self.message)


def to_json(facts: dict[str, object]) -> bytes:
    """Minified ASCII JSON, so that the bytes that are signed are the bytes that are sent."""
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=True).encode()


def _answer(status: int, facts: dict[str, object]) -> web.Response:
    return web.Response(body=to_json(facts), status=status, content_type="application/json")


def accepted(service: str, facts: dict[str, object]) -> web.Response:
    """The successful answer of a service."""
    head = {"responseCode": f"200{service}00", "responseMessage": "Successful"}
    return _answer(200, head | facts)


def refused(service: str, refusal: Refused) -> web.Response:
    """The answer of a service that refuses."""
    code = f"{refusal.status}{service}{refusal.case}"
    return _answer(refusal.status, {"responseCode": code, "responseMessage": refusal.message})
