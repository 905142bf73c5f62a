"""Facts of a document: its type, number, date, value and other party.  Pure functions, no input or output.

By law a collector has to state all of them (PMK 78/2024: the annexes of the return).  Any other account may state them.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from meterai.kit.clock import SystemClock
from meterai.kit.days import DAY, day_of
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, Refusal, refusal_of_database
from meterai.kit.text import one_line

# Document types.  4a: receipts of money; 4b: statements that a debt was settled; 3: certificates, statements, agreements;
# 2: deeds, securities and others.
DOCUMENT_TYPES = ("4a", "4b", "3", "2")
IDENTITY_KINDS = ("KTP", "NPWP", "other")
PARTY_NUMBER_DIGITS = (15, 16, 22)  # an old NPWP; an NIK or a new NPWP; a NITKU
NIK_DIGITS = 16  # of the number on a KTP
TEXT_LENGTH_MAX = 200  # characters, of a number or a name
RUPIAH_DIGITS_MAX = 15
VALUE_MAX = 1 << 53  # rupiah; the largest whole number that JSON carries exactly
# Accepted dates of a document. An earlier date, or one more than a year in the future, must be a typing error.
DAY_MIN, DAYS_AHEAD_MAX = date(1990, 1, 1), 366
_clock = SystemClock()


@refusal_of_database
class DocumentFactsMissing(Refusal):
    """A collector did not state a fact that the law demands about a document; `field` is the first missing fact."""

    code = "document_facts_missing"
    status = 422

    def __init__(self, *, field: str) -> None:
        super().__init__(f"{field} is missing")
        self.field = field


class DocumentParty(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The other party to a document: name, and the kind (`KTP`, `NPWP` or `other`) and number of the identity."""

    name: str | None = None
    identity: str | None = None
    number: str | None = None


class DocumentFacts(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Facts of a document: type (`4a`, `4b`, `3` or `2`), number, date, value in rupiah, and the other party."""

    type: str | None = None
    number: str | None = None
    date: str | None = None
    value: int | None = None
    party: DocumentParty = DocumentParty()

    def __bool__(self) -> bool:
        return self != NO_FACTS

    @property
    def missing(self) -> str | None:
        """Name of the first field that the law demands and that is missing; None if none is missing."""
        fields = {
            "type": self.type,
            "number": self.number,
            "date": self.date,
            "value": self.value,
            "party.name": self.party.name,
            "party.number": self.party.number,
        }
        return next((name for name, value in fields.items() if value is None), None)

    def check_complete(self) -> None:
        """Refuse `DocumentFactsMissing` if a field that the law demands is missing."""
        if (field := self.missing) is not None:
            raise DocumentFactsMissing(field=field)

    def columns(self) -> tuple[object, ...]:
        """Return the facts as values of table columns.

        They are type, number, date and value of the document, then name, kind of identity and identity number of the party.
        """
        dated = None if self.date is None else date.fromisoformat(self.date)
        party = self.party
        return (self.type, self.number, dated, self.value, party.name, party.identity, party.number)


NO_FACTS = DocumentFacts()


def read_facts(given: DocumentFacts) -> DocumentFacts:
    """Check and normalize the facts of a document that a client sent.  Refuses `Malformed` with the name of the field."""
    kind = (given.type or "").strip().lower() or None
    if kind is not None and kind not in DOCUMENT_TYPES:
        raise Malformed("type", "document_type")
    if given.value is not None and not 0 <= given.value < VALUE_MAX:
        raise Malformed("value", "within_bounds", maximum=VALUE_MAX - 1)
    number = _text("party.number", given.party.number)
    party = DocumentParty(
        name=_text("party.name", given.party.name),
        identity=_identity(given.party.identity, number),
        number=_identity_number(given.party.identity, number),
    )
    return DocumentFacts(
        type=kind,
        number=_text("number", given.number),
        date=_day(given.date),
        value=given.value,
        party=party,
    )


def facts_in_texts(texts: Mapping[str, str], before: str = "") -> DocumentFacts:
    """Read the facts of a document from the form fields whose names begin with `before`.

    Refuses `Malformed` with the name of the field.
    """

    def text_of(name: str) -> str | None:
        return texts.get(f"{before}{name}", "").strip() or None

    value = text_of("value")
    rupiah = counted(re.sub(r"[.\s]", "", value or "0"), RUPIAH_DIGITS_MAX)
    if rupiah is None:
        raise Malformed("value", "whole_number")
    party = DocumentParty(
        name=text_of("party_name"),
        identity=text_of("identity") if text_of("party_number") else None,
        number=text_of("party_number"),
    )
    return read_facts(
        DocumentFacts(
            type=text_of("type"),
            number=text_of("number"),
            date=text_of("date"),
            value=None if value is None else rupiah,
            party=party,
        )
    )


def _text(field: str, text: str | None) -> str | None:
    line = one_line(text or "")
    if len(line) > TEXT_LENGTH_MAX:
        raise Malformed(field, "shown_text", length_max=TEXT_LENGTH_MAX)
    return line or None


def _day(text: str | None) -> str | None:
    stripped = (text or "").strip()
    if not stripped:
        return None
    try:
        return day_of_document(date.fromisoformat(stripped))
    except ValueError:
        raise Malformed("date", "day") from None


def day_of_document(day: date) -> str:
    """Convert the date of a document to its stored form (ISO 8601). Refuses `Malformed` for a date out of range."""
    last = day_of(_clock.now()) + DAYS_AHEAD_MAX * DAY
    if not DAY_MIN <= day <= last:
        raise Malformed("date", "day_between", first=str(DAY_MIN), last=str(last))
    return day.isoformat()


def _identity(kind: str | None, number: str | None) -> str | None:
    """Return the stated kind of identity, else the kind that follows from the number; None without a number.

    Both a new NPWP and a NIK have 16 digits: the NPWP begins with 0, and the NIK with the code of a province.
    """
    if kind:
        found = next((one for one in IDENTITY_KINDS if one.lower() == kind.strip().lower()), None)
        if found is None:
            raise Malformed("party.identity", "known_name")
        return found
    if number is None:
        return None
    digits = _digits(number)
    return "KTP" if len(digits) == PARTY_NUMBER_DIGITS[1] and digits[0] != "0" else "NPWP"


def _identity_number(kind: str | None, number: str | None) -> str | None:
    if number is None:
        return None
    said = (kind or "").strip().lower()
    if said == "other":
        if not any(map(str.isalnum, number)):
            raise Malformed("party.number", "party_number")
        return number
    digits = _digits(number)
    lengths = PARTY_NUMBER_DIGITS if said != "ktp" else (NIK_DIGITS,)
    if counted(digits, max(PARTY_NUMBER_DIGITS)) is None or len(digits) not in lengths:
        raise Malformed("party.number", "party_number")
    return digits


def _digits(number: str) -> str:
    return re.sub(r"[\s.\-]", "", number.lstrip("'"))


def kept_facts(facts: DocumentFacts, stamping: object) -> Mapping[str, Any]:
    """Convert the facts of the document of a stamping to a JSON object for the database."""
    names = ("type", "number", "dated", "value", "party_name", "identity_kind", "identity_number")
    columns = [str(one) if isinstance(one, date) else one for one in facts.columns()]
    return {"stamping": str(stamping)} | dict(zip(names, columns, strict=True))
