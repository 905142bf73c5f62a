"""Placements, facts of documents, and rows of a batch.

Lengths are in points (72 per inch) from the lower left of the page as it is shown. Page 1 is the first, -1 the last. The
default `width` is that of the installation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class At:
    """Placement with the lower left corner of the stamp at a point."""

    page: int
    x: float
    y: float
    width: float | None = None


@dataclass(frozen=True, slots=True)
class InCorner:
    """Placement in a corner of a page, `margin` points away from both edges."""

    corner: Literal["bottom_right", "bottom_left", "top_right", "top_left"]
    page: int = -1
    margin: float | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class AtText:
    """Placement with the lower left corner of the stamp at the lower left corner of a text, moved by `dx` and `dy`.
    `occurrence` counts from 1, through all pages if `page` is None. Refused as `text_not_found` if the text does not occur.
    """

    text: str
    occurrence: int = 1
    page: int | None = None
    dx: float = 0
    dy: float = 0
    width: float | None = None


Placement = At | InCorner | AtText


def plain(placement: Placement | Sequence[Placement]) -> Any:
    """Return a placement, or several, in the form of the API."""
    if isinstance(placement, At | InCorner | AtText):
        return _plain(placement)
    return [_plain(one) for one in placement]


def _plain(placement: Placement) -> Mapping[str, Any]:
    names = type(placement).__slots__
    return _given({name: getattr(placement, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Legal facts of a document, mandatory for a collector and optional for others.

    `type`            4a, 4b, 3 or 2: kind of the document under the law
    `date`            date of the document, as 2026-11-30
    `value`           whole rupiah
    `party_identity`  kind of `party_number`: KTP, NPWP or other
    """

    type: str | None = None
    number: str | None = None
    date: str | None = None
    value: int | None = None
    party_name: str | None = None
    party_identity: str | None = None
    party_number: str | None = None


def plain_facts(facts: Facts) -> Mapping[str, Any]:
    """Return facts in the form of the API."""
    party = _given(
        {"name": facts.party_name, "identity": facts.party_identity, "number": facts.party_number}
    )
    told = {"type": facts.type, "number": facts.number, "date": facts.date, "value": facts.value}
    return _given({**told, "party": party or None})


def _given(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: one for name, one in fields.items() if one is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A document of a batch, and its stamps.

    `file`          name of a file of the batch; or `sha256` of a document that the account sent before
    `key`           your own id of the row, by which a repeated row is recognized
    `type`          4a, 4b, 3 or 2: kind of the document under the law; this and the following are for the tax return
    `date`          date of the document, as 2026-11-30
    `value`         whole rupiah
    `party_number`  NPWP or NIK of the other party
    """

    placement: Placement | Sequence[Placement]
    file: str | None = None
    sha256: str | None = None
    key: str | None = None
    type: str | None = None
    number: str | None = None
    date: str | None = None
    value: int | None = None
    place: str | None = None
    party_name: str | None = None
    party_number: str | None = None


def plain_row(row: Row) -> Mapping[str, Any]:
    """Return a row in the form of the API."""
    names = ("file", "sha256", "key", "type", "number", "date", "value", "place")
    party = {"name": row.party_name, "number": row.party_number}
    given = {name: getattr(row, name) for name in names}
    given["party"] = _given(party) or None
    given["placement"] = plain(row.placement)
    return _given(given)
