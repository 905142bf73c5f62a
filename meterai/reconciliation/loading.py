"""Loading of the lines of a record into our copy of the record, a table; some thousand lines at a time.

Lines may come from another machine, so no transaction is open while they are read.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from meterai.payments import (
    REFERENCE_PREFIX,
    REFUND_PREFIX,
    TRANSFER_PREFIX,
    Movement,
    UnmatchedLine,
    parse_number,
)

LINES_AT_ONCE = 10_000
_NULL = "\x01"  # stands for NULL; occurs in no number
UNMATCHED_MAX = 200  # unmatched lines that are kept; the others are counted


@dataclass(slots=True)
class Loaded:
    """Counts of the lines of a record, its unmatched lines, and the files (or "" for a history) that the lines came from."""

    lines: int = 0
    unreadable: int = 0
    unmatched: list[UnmatchedLine] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)


class Loading:
    """The lines of a day's record, while the record is read once and stored; `write` stores some thousand lines, which are text
    in the format of PostgreSQL's COPY.
    """

    def __init__(
        self, provider: str, day: date, reading: int, write: Callable[[str], Awaitable[None]]
    ) -> None:
        self._write_rows = write
        self._rows: list[str] = []
        self._begins = f"{provider}\t{day}\t{reading}"
        self.found = Loaded()

    async def take_history(
        self, movements: AsyncIterator[Movement | UnmatchedLine], begins: datetime, ends: datetime
    ) -> None:
        """Load the lines of a rail's history from `begins` to before `ends`. Raises the refusals of the rail."""
        async for one in movements:
            # A line at midnight may be in the histories of both days; it counts for the day of its time.
            if isinstance(one, UnmatchedLine) or begins <= one.moved_at < ends:
                self._take(one, "")
            if len(self._rows) >= LINES_AT_ONCE:
                await self._write()
        await self._write()

    async def take_file(self, lines: Iterable[Movement | UnmatchedLine], source: str) -> None:
        """Load the lines of a file, whose SHA-256 is `source`; raises what reading `lines` raises."""
        for one in lines:
            self._take(one, source)
            if len(self._rows) >= LINES_AT_ONCE:
                await self._write()
        await self._write()

    def _take(self, one: Movement | UnmatchedLine, source: str) -> None:
        self.found.lines += 1
        if isinstance(one, UnmatchedLine):
            self.found.unreadable += 1
            if len(self.found.unmatched) < UNMATCHED_MAX:
                self.found.unmatched.append(one)
            return
        self.found.sources.add(source)
        self._rows.append(self._row(one, source))

    def _row(self, one: Movement, source: str) -> str:
        """Return a line of the record as text in the format of PostgreSQL's COPY."""
        refund = one.refund_number
        ours = None
        if refund:
            ours = parse_number(REFUND_PREFIX, refund) or parse_number(TRANSFER_PREFIX, refund)
        if ours is None and one.payment is None and one.reference:
            ours = parse_number(REFERENCE_PREFIX, one.reference)
        numbers = (
            one.reference or _NULL,
            one.payment or _NULL,
            refund or _NULL,
            str(ours[0]) if ours else _NULL,
            str(ours[1]) if ours else _NULL,
            one.provider_refund_number or _NULL,
        )
        count = self.found.lines
        row = (
            f"{self._begins}\t{count}\t{source}\t{one.kind.value}\t{one.moved_at.isoformat()}\t"
            + "\t".join(numbers)
            + f"\t{one.amount.value}\t{one.fee.value if one.fee else 0}\t{one.tax.value if one.tax else 0}"
            f"\t{one.line or count}\t{one.counterpart or _NULL}\n"
        )
        return (row.replace("\\", "\\\\") if "\\" in row else row).replace(_NULL, "\\N")

    async def _write(self) -> None:
        if self._rows:
            await self._write_rows("".join(self._rows))
            self._rows.clear()
