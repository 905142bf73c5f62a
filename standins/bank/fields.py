"""Fields of a SNAP body; each refusal has the response code that SNAP BI defines (HTTP status/case)."""

import json
import re
from collections.abc import Mapping

from standins.bank.answers import Case, Refused
from standins.clock import read_snap_time

REFERENCE_CHARACTERS_MAX = 64  # SNAP BI: partnerReferenceNo, partnerRefundNo
REASON_CHARACTERS_MAX = 256  # SNAP BI: reason of a refund

_VALUE = re.compile(r"([0-9]{1,13})\.00")

Body = Mapping[str, object]


def read_body(raw: bytes) -> Body:
    """Return the body as an object. Refused with 400/00 if it is not an object."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(Case.BAD_REQUEST) from None
    if not isinstance(found, dict):
        raise Refused(Case.BAD_REQUEST)
    return found


def text(body: Body, name: str, longest: int = REFERENCE_CHARACTERS_MAX) -> str:
    """Return an optional text, empty if absent. Refused with 400/01 if it is not a text or too long."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(Case.INVALID_FIELD, name)
    return value


def mandatory_text(body: Body, name: str, longest: int = REFERENCE_CHARACTERS_MAX) -> str:
    """Return a mandatory text. Refused with 400/02 if it is absent."""
    value = text(body, name, longest)
    if not value.strip():
        raise Refused(Case.MISSING_FIELD, name)
    return value


def amount(body: Body, name: str) -> int:
    """Return an amount above zero in whole rupiah, which SNAP writes as `{"value":"10000.00","currency":"IDR"}`."""
    if body.get(name) is None:
        raise Refused(Case.MISSING_FIELD, name)
    found = rupiah(body[name])
    if not found:
        raise Refused(Case.INVALID_FIELD, name)
    return found


def rupiah(told: object) -> int:
    """Return the whole rupiah of an amount in the form of SNAP; 0 for anything else."""
    match told:
        case {"value": str(value), "currency": "IDR"} if found := _VALUE.fullmatch(value):
            return int(found[1])
        case _:
            return 0


def optional_time(body: Body, name: str) -> int | None:
    """Return an optional time in milliseconds since 1970, None if absent."""
    value = text(body, name)
    if not value:
        return None
    try:
        return read_snap_time(value)
    except ValueError:
        raise Refused(Case.INVALID_FIELD, name) from None


def count(body: Body, name: str, default: int) -> int:
    """Return an optional number, which SNAP writes as a text or as a number."""
    value = body.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if type(value) is not int or not 0 <= value < 10**9:
        raise Refused(Case.INVALID_FIELD, name)
    return value


def additional(body: Body) -> Body:
    """Return additionalInfo, empty if absent."""
    match body.get("additionalInfo"):
        case None:
            return {}
        case dict(found):
            return found
        case _:
            raise Refused(Case.INVALID_FIELD, "additionalInfo")


def money(amount: int) -> dict[str, str]:
    """Return an amount in rupiah in the form of SNAP."""
    return {"value": f"{amount}.00", "currency": "IDR"}
