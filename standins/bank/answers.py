"""SNAP BI response codes: three digits of the HTTP status, two of the service, two of the case."""

import json
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aiohttp import web

MESSAGE_CHARACTERS_MAX = 150  # SNAP BI, responseMessage
# Every code of the standard (HTTP status and case) and its text.
CODES: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("codes.toml").read_text(encoding="utf-8")
)


class Case(StrEnum):
    """Cases (last two digits) of this bank's own refusals."""

    IN_PROGRESS = "20200"
    BAD_REQUEST = "40000"
    INVALID_FIELD = "40001"
    MISSING_FIELD = "40002"
    UNAUTHORIZED = "40100"
    INVALID_TOKEN = "40101"  # noqa: S105 - a response code
    TOKEN_NOT_FOUND = "40103"  # noqa: S105 - a response code
    EXPIRED = "40300"
    EXCEEDS_AMOUNT = "40302"
    DORMANT = "40309"
    INSUFFICIENT = "40314"
    INACTIVE = "40318"
    NOT_FOUND = "40401"
    BANK_NOT_SUPPORTED = "40403"
    INVALID_MERCHANT = "40408"
    INVALID_ACCOUNT = "40411"
    INVALID_BILL = "40412"
    PAID_BILL = "40414"
    INCONSISTENT = "40418"
    NOT_SUPPORTED = "40500"
    NOT_ALLOWED = "40501"
    CONFLICT = "40900"
    DUPLICATE = "40901"
    GENERAL_ERROR = "50000"
    TIMEOUT = "50400"


class Refused(Exception):
    """The bank refuses a call with this case of SNAP BI.

    `detail` goes into responseMessage: a field name or a reason, never a secret.
    """

    def __init__(self, case: Case, detail: str = "") -> None:
        self.status, self.case = int(case[:3]), case[3:]
        self.message = f"{CODES[case]} {detail}".strip()[:MESSAGE_CHARACTERS_MAX]
        super().__init__(self.message)


def to_json(facts: dict[str, object]) -> bytes:
    """Return minified ASCII JSON, so that signed and sent bytes are the same."""
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=True).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its HTTP status and the members of its body."""

    status: int
    facts: dict[str, object]


def answer(status: int, facts: dict[str, object]) -> web.Response:
    """Return a response with this status and body."""
    return web.Response(body=to_json(facts), status=status, content_type="application/json")


def accepted(service: str, facts: dict[str, object]) -> Answer:
    """Return the successful answer of a service."""
    head = {"responseCode": f"200{service}00", "responseMessage": "Successful"}
    return Answer(200, head | facts)


def refused(service: str, refusal: Refused) -> Answer:
    """Return the answer of a service that refuses a call."""
    code = f"{refusal.status}{service}{refusal.case}"
    return Answer(refusal.status, {"responseCode": code, "responseMessage": refusal.message})
