"""A batch, its files and its rows as the API shows them."""

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
    """Rows of a batch by their state."""

    total: int
    waiting: int
    refused: int
    reserved: int
    delivered: int
    failed: int
    cancelled: int


class BatchStamps(msgspec.Struct, frozen=True):
    """Stamps of a batch: on its documents, still to be taken, and those that the account lacks while it waits."""

    used: int
    wanted: int
    missing: int


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch.  `progress` is the part of its rows that ended, 0 to 1; `order` the one it waits for."""

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
    """Why: a stable code, and its sentence in both languages."""

    code: str
    id: str
    en: str


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: `added`, `known` (the same bytes are there) or `refused`, with the reason."""

    name: str
    outcome: str
    sha256: str | None
    repaired: bool
    reason: ReasonView | None


class FileList(msgspec.Struct, frozen=True):
    """What became of each file that came."""

    files: list[FileView]
    added: int
    known: int
    refused: int


class RowTakenView(msgspec.Struct, frozen=True, kw_only=True):
    """A row that will not be worked: the line it was on, its number in the batch, and why."""

    line: int
    row: int
    key: str | None
    reason: ReasonView


class RowsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that came: new ones, those that were there, and those that are wrong, each named.

    `columns_ignored` are columns of a CSV that mean nothing here.
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
    """Rows of a batch in their order.  `next` is the `after` of the next page; null on the last."""

    rows: list[RowView]
    next: int | None


def _path(batch: UUID) -> str:
    return f"/v1/batches/{show(BATCH_KIND, batch)}"


def shown(details: BatchDetails) -> BatchView:
    """Convert a batch for the API."""
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
    """Convert the outcome of a file for the API."""
    refusal = taken.refusal
    return FileView(
        name=as_came(taken.name),
        outcome=taken.outcome,
        sha256=taken.sha256.hex() if taken.sha256 else None,
        repaired=taken.is_repaired,
        reason=None if refusal is None else _reason(refusal.code, said(refusal)),
    )


def shown_files(taken: Sequence[BatchFileTaken]) -> FileList:
    """Convert the outcomes of files for the API."""
    outcomes = [one.outcome for one in taken]
    return FileList(
        [shown_file(one) for one in taken],
        outcomes.count("added"),
        outcomes.count("known"),
        outcomes.count("refused"),
    )


def shown_answers(answers: Sequence[RowAnswer], ignored: Sequence[str]) -> RowsTaken:
    """Convert the outcomes of rows for the API."""
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
    """Convert a row for the API."""
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
