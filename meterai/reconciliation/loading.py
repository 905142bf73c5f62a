"""Lines of a record into our copy of it, some thousands at a time, each time in a transaction of its own.

What is read may come from an outside machine, so no transaction is open while it comes.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from meterai.payments import REFUND_PREFIX, Movement, OddLine, parse_number
from meterai.plumbing.database import Database
from meterai.reconciliation import store
from meterai.reconciliation.model import Leased, begin_of, end_of

LINES_AT_ONCE = 5_000
ODD_MAX = 200  # lines that cannot be read and are told one by one; of more only the number is


@dataclass(slots=True)
class Loaded:
    """What was read of a record beside its lines."""

    lines: int = 0
    unreadable: int = 0
    odd: list[OddLine] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)


class Loading:
    """One reading of the record of a day."""

    def __init__(self, database: Database, leased: Leased) -> None:
        self._database = database
        self._leased = leased
        self._rows = _empty()
        self.found = Loaded()

    async def begin(self) -> None:
        """Remove what a process that died left."""
        leased = self._leased
        await self._database.once(store.clear, leased.provider, leased.day, leased.reading)

    async def take_history(self, movements: AsyncIterator[Movement | OddLine]) -> None:
        """Lines as a rail tells them; refuses what it refuses."""
        begins, ends = begin_of(self._leased.day), end_of(self._leased.day)
        async for one in movements:
            # A line on the edge may be told with the day before and after.
            if isinstance(one, OddLine) or begins <= one.moved_at < ends:
                self._take(one, "")
            if len(self._rows.position) >= LINES_AT_ONCE:
                await self._write()
        await self._write()

    async def take_file(self, lines: Iterable[Movement | OddLine], source: str) -> None:
        """Lines of a file; raises what reading it raises."""
        for one in lines:
            self._take(one, source)
            if len(self._rows.position) >= LINES_AT_ONCE:
                await self._write()
        await self._write()

    def _take(self, one: Movement | OddLine, source: str) -> None:
        self.found.lines += 1
        if isinstance(one, OddLine):
            self.found.unreadable += 1
            if len(self.found.odd) < ODD_MAX:
                self.found.odd.append(one)
            return
        self.found.sources.add(source)
        rows, refund = self._rows, one.refund_number
        ours = parse_number(REFUND_PREFIX, refund) if refund else None
        rows.position.append(self.found.lines)
        rows.source.append(source)
        rows.kind.append(one.kind.value)
        rows.moved_at.append(one.moved_at)
        rows.reference.append(one.reference)
        rows.payment.append(one.payment)
        rows.refund_no.append(refund)
        rows.of_account.append(ours[0] if ours else None)
        rows.of_refund.append(ours[1] if ours else None)
        rows.provider_refund_no.append(one.provider_refund_number)
        rows.amount.append(one.amount.value)
        rows.fee.append(one.fee.value if one.fee else 0)
        rows.tax.append(one.tax.value if one.tax else 0)
        rows.line.append(one.line or str(self.found.lines))

    async def _write(self) -> None:
        if self._rows.position:
            await self._database.once(store.add, self._leased, self._rows)
            self._rows = _empty()


def _empty() -> store.Rows:
    return store.Rows(*([] for _ in store.Rows._fields))
