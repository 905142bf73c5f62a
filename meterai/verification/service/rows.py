"""Rows of a table of many checks, in their forms for pages, spreadsheets and the API."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from meterai.kit.clock import WIB
from meterai.kit.serial import Serial
from meterai.kit.text import without_isolates
from meterai.plumbing.messages import localize, translate
from meterai.verification.model import outcome
from meterai.verification.service.batch import CheckRow
from meterai.verification.service.views import ClaimView, StampView

NOT_CHECKED = "not_checked"
_ORDER = ("bad", "act", "unsure", "good")  # the worst outcome first


class CheckRowView(msgspec.Struct, frozen=True, kw_only=True):
    """Result for one document, serial or code of a batch.

    `file` is the name of the document, with its path in an archive, or the serial or code as it was sent.  `code` is the
    reason if the `verdict` is `not_checked`, and null otherwise.  `remarks` states in words which checks failed.  Fields
    that only a document has are null for a serial or a code.  `shared_with` are other files of the batch that have one of
    these serials; such files are copies, since a stamp belongs to one document.
    """

    row: int
    id: str | None
    kind: str
    file: str
    result: str
    remarks: str = ""
    verdict: str = NOT_CHECKED
    code: str | None = None
    is_specimen: bool | None = None
    serials: list[str] = []
    sealed_at: datetime | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    checked_at: datetime | None = None
    sealed_bytes: int | None = None
    sealed_sha256: str | None = None
    later_bytes: int | None = None
    earlier: list[str] = []
    shared_with: list[str] = []


class CheckTableRow(NamedTuple):
    """Row of one file; `shared_with` are the names of other files that have one of its serials."""

    row: CheckRow
    shared_with: Sequence[str] = ()

    @property
    def outcome(self) -> str:
        """Class of the result, as `model.outcome` returns it; `bad` if a serial is shared with another file."""
        if self.shared_with:
            return "bad"
        return outcome(self.row.found.verdict) if self.row.found else "unsure"


class SharedSerials:
    """Finds documents of a batch that have a serial in common."""

    def __init__(self) -> None:
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        self._paths: list[str] = []

    def add(self, row: CheckRow) -> list[str]:
        """Add the next document, and return the names of the earlier documents that share a serial with it."""
        at = len(self._paths)
        self._paths.append(row.path)
        for serial in set(_serials(row)):
            self._having[serial].append(at)
        return self.others(at, row)

    def others(self, at: int, row: CheckRow) -> list[str]:
        """Return the names of other documents that share a serial with this one, which was added as number `at`, from 0."""
        found = sorted({other for one in _serials(row) for other in self._having[one]} - {at})
        return [self._paths[other] for other in found]


def _serials(row: CheckRow) -> Sequence[str]:
    return row.found.serials if row.found else ()


def marked(rows: Sequence[CheckRow]) -> list[CheckTableRow]:
    """Convert results to rows of a table, in the same order; each row names the other files that share its serials."""
    shared = SharedSerials()
    for row in rows:
        shared.add(row)
    return [CheckTableRow(row, shared.others(at, row)) for at, row in enumerate(rows)]


def lines_of(rows: Sequence[CheckRow]) -> list[CheckTableRow]:
    """Convert results to rows of a table like `marked`, sorted by outcome, the bad ones first."""
    return sorted(marked(rows), key=lambda line: _ORDER.index(line.outcome))


def result(line: CheckTableRow, language: str) -> str:
    """Return the result in a row of the table, in words."""
    row = line.row
    if line.shared_with:
        return translate("page.many.shared", language)
    if row.refused is not None:
        facts = localize(row.refused.facts(), language)
        return translate(f"refusal.{row.refused.code}", language, **facts)
    if row.told is not None:
        return row.told.summary
    if row.found is None:
        return translate("page.many.not_checked", language)
    return translate(f"verdict.{row.found.verdict}", language)


def row_view(line: CheckTableRow, number: int, language: str) -> CheckRowView:
    """Convert a row of the table to its form in the API; `number` counts the rows from 1."""
    row, found = line.row, line.row.found
    named: dict[str, Any] = {
        "row": number,
        "id": row.id,
        "kind": row.kind,
        "file": row.path,
        "result": result(line, language),
        "shared_with": list(line.shared_with),
    }
    if row.told is not None:
        return _of_register(row.told, named)
    if found is None:
        why = "" if row.reason is None else f"page.many.not_checked.{row.reason}"
        code = row.refused.code if row.refused is not None else row.reason
        return CheckRowView(**named, remarks=translate(why, language) if why else "", code=code)
    sealed = found.sealed
    return CheckRowView(
        **named,
        remarks=" ".join(without_isolates(one.detail) for one in found.checks if not one.passed),
        verdict=found.verdict,
        is_specimen=found.is_specimen,
        serials=list(found.serials),
        sealed_at=found.sealed_at,
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        checked_at=found.checked_at,
        sealed_bytes=sealed.bytes if sealed else None,
        sealed_sha256=sealed.sha256 if sealed else None,
        later_bytes=found.later_bytes,
        # These serials do not count for the present document.
        earlier=[serial for one in found.earlier for serial in one.serials],
    )


def _of_register(told: StampView | ClaimView, named: dict[str, Any]) -> CheckRowView:
    if isinstance(told, StampView):
        verdict, sealed_at = told.state, told.affixed_at
    else:
        verdict, sealed_at = told.verdict, told.sealed_at
    return CheckRowView(**named, verdict=verdict, serials=[told.serial], sealed_at=sealed_at)


def cells_of(line: CheckTableRow, language: str) -> list[str]:
    """Convert a row of the table to the cells of a spreadsheet."""
    one = row_view(line, 0, language)
    return [
        one.file,
        one.result,
        one.remarks,
        "SPECIMEN" if one.is_specimen else "",
        # In groups, since a spreadsheet would read digits with one E as a number.
        "; ".join(Serial(serial).grouped() for serial in one.serials),
        _time(one.sealed_at),
        one.sha256 or "",
        _number(one.size_bytes),
        _time(one.checked_at),
        "" if one.verdict == NOT_CHECKED else one.verdict,
        " ".join(one.serials),
        _number(one.sealed_bytes),
        one.sealed_sha256 or "",
        _number(one.later_bytes),
        " ".join(one.earlier),
        ", ".join(one.shared_with),  # must be the last cell, since `many.js` fills it in
    ]


def _number(count: int | None) -> str:
    return "" if count is None else str(count)


def _time(at: datetime | None) -> str:
    """Format a time for spreadsheets, in WIB as the heading of the column says; empty for None."""
    return f"{at.astimezone(WIB):%Y-%m-%d %H:%M:%S}" if at else ""
