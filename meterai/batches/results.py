"""Results of a batch as files: a table of its rows, and an archive of the stamped documents with that table in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from meterai.batches.model import BatchRow, RowState
from meterai.batches.service import BatchService
from meterai.batches.words import why
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.refusal import Refusal
from meterai.kit.text import file_name
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import BYTE_ORDER_MARK, csv_lines
from meterai.plumbing.zips import Names, ZippedFile, zipped

PAGE_ROWS = 200  # rows read from the database at once
# Bytes of one archive. Many programs read no zip above 4 GB, which needs an extension of the format.
ARCHIVE_BYTES_MAX = 2 * 1024 * 1024 * 1024
TABLE = "results.csv"
_UNNAMED = "dokumen.pdf"
_LOADED_AT_ONCE = 4  # documents that are loaded while an earlier document is sent


def table_lines(rows: Sequence[tuple[BatchRow, Sequence[str], str]], language: str) -> str:
    """Return lines of the table of results: each row with its serials and the name of its file in the archive."""
    return csv_lines(
        [
            (
                row.number,
                row.key or "",
                row.document_name,
                str(row.state),
                " ".join(serials),
                row.code or "",
                why(row.code, row.code_facts, language) if row.code else "",
                name,
                row.sha256.hex() if row.sha256 else "",
                show("stg", row.stamping) if row.stamping else "",
                str(row.facts.get("type", "")),
                str(row.facts.get("number", "")),
                str(row.facts.get("date", "")),
            )
            for row, serials, name in rows
        ],
        language,
    )


def table_head(language: str) -> str:
    """Return the header line of the table of results."""
    return BYTE_ORDER_MARK + csv_lines(
        [translate("batch.csv_columns", language).split("|")], language
    )


class Results:
    """Writes the result files of batches."""

    def __init__(self, batches: BatchService, clock: Clock) -> None:
        self._batches = batches
        self._clock = clock

    async def every(
        self, account: UUID, batch: UUID, after: int = 0, states: Sequence[RowState] | None = None
    ) -> AsyncIterator[tuple[BatchRow, Sequence[str]]]:
        """Yield the rows after the row number `after`, in their order, with their serials."""
        while True:
            rows = await self._batches.rows(account, batch, after, PAGE_ROWS, states)
            serials = await self._batches.serials(account, rows)
            for row in rows:
                is_delivered = row.state is RowState.DELIVERED and row.stamping is not None
                yield row, serials.get(row.stamping, ()) if is_delivered and row.stamping else ()
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1].number

    async def table(
        self, account: UUID, batch: UUID, language: str, states: Sequence[RowState] | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the table of all rows, or of the rows in `states`, in pieces."""
        yield table_head(language).encode()
        waiting = []
        async for row, serials in self.every(account, batch, 0, states):
            waiting.append((row, serials, ""))
            if len(waiting) == PAGE_ROWS:
                yield table_lines(waiting, language).encode()
                waiting = []
        yield table_lines(waiting, language).encode()

    def archive(
        self, account: UUID, batch: UUID, language: str, after: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield a zip of the stamped documents of the rows after the row number `after`, with the table of these rows.

        The archive ends at its size limit. If rows remain, the table in it says with which `after` to request the next
        archive.
        """
        return zipped(self._files(account, batch, language, after))

    async def _files(
        self, account: UUID, batch: UUID, language: str, after: int
    ) -> AsyncIterator[ZippedFile]:
        names = Names()
        names.distinct(TABLE)
        at = self._clock.now()
        lines: list[tuple[BatchRow, Sequence[str], str]] = []
        size, begins_with = 0, 0
        async for row, serials, content in self._loaded(account, batch, after):
            if isinstance(content, bytes):
                size += len(content)
                if size > ARCHIVE_BYTES_MAX and lines:
                    begins_with = row.number
                    break
                name = names.distinct(file_name(row.document_name) or _UNNAMED)
                yield ZippedFile(name, row.ended_at or at, content)
                lines.append((row, serials, name))
            else:
                lines.append((row, serials, "" if content is None else f"({content.code})"))
        table = table_head(language) + table_lines(lines, language)
        if begins_with:
            table += csv_lines(
                [(translate("batch.more", language, row=begins_with - 1),)], language
            )
        yield ZippedFile(TABLE, at, table.encode())

    async def _loaded(
        self, account: UUID, batch: UUID, after: int
    ) -> AsyncIterator[tuple[BatchRow, Sequence[str], bytes | Refusal | None]]:
        """Yield rows with their stamped documents; the next documents are loaded while the current one is sent."""
        under_way: list[tuple[BatchRow, Sequence[str], asyncio.Task[bytes | Refusal | None]]] = []
        try:
            async for row, serials in self.every(account, batch, after):
                task = asyncio.create_task(self._content(account, batch, row))
                under_way.append((row, serials, task))
                if len(under_way) > _LOADED_AT_ONCE:
                    first, its, loading = under_way.pop(0)
                    yield first, its, await loading
            while under_way:
                first, its, loading = under_way.pop(0)
                yield first, its, await loading
        finally:
            for _, _, loading in under_way:
                loading.cancel()

    async def _content(self, account: UUID, batch: UUID, row: BatchRow) -> bytes | Refusal | None:
        if row.state is not RowState.DELIVERED:
            return None
        try:
            return (await self._batches.document(account, batch, row.number))[1]
        except Refusal as refusal:
            return refusal

    @property
    def at(self) -> datetime:
        """Current time."""
        return self._clock.now()
