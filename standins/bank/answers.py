"""SNAP BI response codes: three digits of HTTP status, two of service, two of case."""

import json
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

MESSAGE_CHARACTERS_MAX = 150  # SNAP BI, responseMessage


class Case(Enum):
    """The cases this bank answers with: HTTP status, case, text (SNAP BI, response codes)."""

    IN_PROGRESS = (202, "00", "Request In Progress")
    BAD_REQUEST = (400, "00", "Bad Request")
    INVALID_FIELD = (400, "01", "Invalid Field Format")
    MISSING_FIELD = (400, "02", "Invalid Mandatory Field")
    UNAUTHORIZED = (401, "00", "Unauthorized.")
    INVALID_TOKEN = (401, "01", "Invalid Token (B2B)")
    TOKEN_NOT_FOUND = (401, "03", "Token Not Found (B2B)")
    EXCEEDS_AMOUNT = (403, "02", "Exceeds Transaction Amount Limit")
    DORMANT = (403, "09", "Dormant Account")
    INSUFFICIENT = (403, "14", "Insufficient Funds")
    INACTIVE = (403, "18", "Inactive Card/Account/Customer")
    NOT_FOUND = (404, "01", "Transaction Not Found")
    BANK_NOT_SUPPORTED = (404, "03", "Bank Not Supported By Switch")
    INVALID_MERCHANT = (404, "08", "Invalid Merchant")
    INVALID_ACCOUNT = (404, "11", "Invalid Card/Account/Customer")
    INVALID_BILL = (404, "12", "Invalid Bill/Virtual Account")
    PAID_BILL = (404, "14", "Paid Bill")
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


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and members of the body."""

    status: int
    facts: dict[str, object]


def answer(status: int, facts: dict[str, object]) -> web.Response:
    """An answer over HTTP."""
    return web.Response(body=to_json(facts), status=status, content_type="application/json")


def accepted(service: str, facts: dict[str, object]) -> Answer:
    """The successful answer of a service."""
    head = {"responseCode": f"200{service}00", "responseMessage": "Successful"}
    return Answer(200, head | facts)


def refused(service: str, refusal: Refused) -> Answer:
    """The answer of a service that refuses."""
    code = f"{refusal.status}{service}{refusal.case}"
    return Answer(refusal.status, {"responseCode": code, "responseMessage": refusal.message})
