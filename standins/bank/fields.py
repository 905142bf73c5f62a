"""Reading the fields of a SNAP body; each refusal has the response code that SNAP BI gives it."""

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
    """The body as an object; 400/00 if it is none."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(Case.BAD_REQUEST) from None
    if not isinstance(found, dict):
        raise Refused(Case.BAD_REQUEST)
    return found


def text(body: Body, name: str, longest: int = REFERENCE_CHARACTERS_MAX) -> str:
    """A text that may be absent: then it is empty; 400/01 if it is no text or too long."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(Case.INVALID_FIELD, name)
    return value


def mandatory_text(body: Body, name: str, longest: int = REFERENCE_CHARACTERS_MAX) -> str:
    """A text that must be there; 400/02 if it is not."""
    value = text(body, name, longest)
    if not value.strip():
        raise Refused(Case.MISSING_FIELD, name)
    return value


def amount(body: Body, name: str) -> int:
    """Whole rupiah above zero, written `{"value":"10000.00","currency":"IDR"}`."""
    match body.get(name):
        case None:
            raise Refused(Case.MISSING_FIELD, name)
        case {"value": str(value), "currency": "IDR"} if found := _VALUE.fullmatch(value):
            if rupiah := int(found[1]):
                return rupiah
        case _:
            pass
    raise Refused(Case.INVALID_FIELD, name)


def optional_time(body: Body, name: str) -> int | None:
    """A time that may be absent, in milliseconds since 1970."""
    value = text(body, name)
    if not value:
        return None
    try:
        return read_snap_time(value)
    except ValueError:
        raise Refused(Case.INVALID_FIELD, name) from None


def additional(body: Body) -> Body:
    """additionalInfo, empty if absent."""
    match body.get("additionalInfo"):
        case None:
            return {}
        case dict(found):
            return found
        case _:
            raise Refused(Case.INVALID_FIELD, "additionalInfo")


def money(rupiah: int) -> dict[str, str]:
    """An amount as SNAP writes it."""
    return {"value": f"{rupiah}.00", "currency": "IDR"}
