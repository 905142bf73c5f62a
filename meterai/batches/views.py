"""Batches, their files and their rows in the form of the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from meterai.batches.model import BATCH_KIND, BatchFileTaken, BatchRow, BatchState, RowState
from meterai.batches.service import BatchDetails, RowAnswer
from meterai.batches.words import said, why_by_language
from meterai.kit.ids import show
from meterai.kit.text import as_came
from meterai.orders import OrderView


class RowCounts(msgspec.Struct, frozen=True):
    """Number of rows of a batch in each state."""

    total: int
    waiting: int
    refused: int
    reserved: int
    delivered: int
    failed: int
    cancelled: int


class BatchStamps(msgspec.Struct, frozen=True):
    """Numbers of stamps of a batch: used on documents, still to be used, and missing while the batch waits for stamps."""

    used: int
    wanted: int
    missing: int


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch.  `progress` is the share of its rows that ended, 0 to 1; `order` is the order of stamps for which it waits."""

    id: str
    state: str
    reference: str | None
    files: int
    rows: RowCounts
    stamps: BatchStamps
    progress: float
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    order: OrderView | None
    rows_url: str
    results_url: str | None


class ReasonView(msgspec.Struct, frozen=True):
    """Reason why a file or row was refused, or why a row failed: a stable code, and a sentence in both languages."""

    code: str
    id: str
    en: str


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a file: `added`, `known` (the batch has a file with this name and these bytes), or `refused` with a reason."""

    name: str
    outcome: str
    sha256: str | None
    repaired: bool
    reason: ReasonView | None


class FileList(msgspec.Struct, frozen=True):
    """Outcome of each file that was sent."""

    files: list[FileView]
    added: int
    known: int
    refused: int


class RowTakenView(msgspec.Struct, frozen=True, kw_only=True):
    """A row that will not be stamped: its line in the request, its number in the batch, and the reason."""

    line: int
    row: int
    key: str | None
    reason: ReasonView


class RowsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of the rows that were sent: numbers of new and of known rows, and a list of the wrong rows.

    `columns_ignored` are the columns of a CSV that have no meaning here.
    """

    added: int
    known: int
    refused: list[RowTakenView]
    columns_ignored: list[str]


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a batch."""

    row: int
    key: str | None
    document: str
    sha256: str | None
    state: str
    reason: ReasonView | None
    serials: list[str]
    stamping_id: str | None
    document_url: str | None
    ended_at: datetime | None
    facts: dict[str, str | int]


class RowList(msgspec.Struct, frozen=True):
    """Rows of a batch in their order. `next` is the value of `after` for the next page; null on the last page."""

    rows: list[RowView]
    next: int | None


def _path(batch: UUID) -> str:
    return f"/v1/batches/{show(BATCH_KIND, batch)}"


def shown(details: BatchDetails) -> BatchView:
    """Convert a batch to the form of the API."""
    batch, counts = details.batch, details.counts
    open_ = counts.waiting + counts.reserved
    is_waiting = batch.state is BatchState.WAITING_FOR_STAMPS
    return BatchView(
        id=show(BATCH_KIND, batch.id),
        state=batch.state,
        reference=batch.reference,
        files=details.files,
        rows=RowCounts(
            counts.rows,
            counts.waiting,
            counts.refused,
            counts.reserved,
            counts.delivered,
            counts.failed,
            counts.cancelled,
        ),
        stamps=BatchStamps(
            counts.stamps_used,
            counts.stamps_wanted,
            max(batch.needed - details.available, 0) if is_waiting else 0,
        ),
        progress=0.0
        if batch.state is BatchState.OPEN or not counts.rows
        else round(1 - open_ / counts.rows, 4),
        made_at=batch.made_at,
        started_at=batch.started_at,
        ended_at=batch.ended_at,
        order=details.order,
        rows_url=f"{_path(batch.id)}/rows",
        results_url=f"{_path(batch.id)}/results.zip" if counts.delivered else None,
    )


def _reason(code: str, both: Mapping[str, str]) -> ReasonView:
    return ReasonView(code, both["id"], both["en"])


def shown_file(taken: BatchFileTaken) -> FileView:
    """Convert the outcome of a file to the form of the API."""
    refusal = taken.refusal
    return FileView(
        name=as_came(taken.name),
        outcome=taken.outcome,
        sha256=taken.sha256.hex() if taken.sha256 else None,
        repaired=taken.is_repaired,
        reason=None if refusal is None else _reason(refusal.code, said(refusal)),
    )


def shown_files(taken: Sequence[BatchFileTaken]) -> FileList:
    """Convert the outcomes of files to the form of the API."""
    outcomes = [one.outcome for one in taken]
    return FileList(
        [shown_file(one) for one in taken],
        outcomes.count("added"),
        outcomes.count("known"),
        outcomes.count("refused"),
    )


def shown_answers(answers: Sequence[RowAnswer], ignored: Sequence[str]) -> RowsTaken:
    """Convert the outcomes of rows to the form of the API; `ignored` are the names of unknown columns."""
    outcomes = [one.outcome for one in answers]
    return RowsTaken(
        added=outcomes.count("added"),
        known=outcomes.count("known"),
        refused=[
            RowTakenView(
                line=one.line,
                row=one.number,
                key=one.key,
                reason=_reason(one.refusal.code, said(one.refusal)),
            )
            for one in answers
            if one.refusal is not None
        ],
        columns_ignored=list(ignored),
    )


def shown_row(batch: UUID, row: BatchRow, serials: Sequence[str]) -> RowView:
    """Convert a row to the form of the API."""
    is_delivered = row.state is RowState.DELIVERED
    return RowView(
        row=row.number,
        key=row.key,
        document=row.document_name,
        sha256=row.sha256.hex() if row.sha256 else None,
        state=row.state,
        reason=None
        if row.code is None
        else _reason(row.code, why_by_language(row.code, row.code_facts)),
        serials=list(serials) if is_delivered else [],
        stamping_id=show("stg", row.stamping) if row.stamping else None,
        document_url=f"{_path(batch)}/rows/{row.number}/document" if is_delivered else None,
        ended_at=row.ended_at,
        facts={name: one for name, one in row.facts.items() if isinstance(one, str | int)},
    )
