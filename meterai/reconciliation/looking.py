"""Comparison of the last days, also unfinished ones, with the histories of rails; it stores nothing.

The comparison is the same as for a finished day, but its transaction is rolled back.  Lines of the last quarter of an hour are
left out, since our books may not have them yet.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from meterai.kit.clock import WIB
from meterai.payments import PaymentService
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding
from meterai.reconciliation import differences, sides, store
from meterai.reconciliation.comparing import BREAKS_MAX, COMPARE_SECONDS, breaks_of, doubted_of
from meterai.reconciliation.loading import Loaded, Loading
from meterai.reconciliation.model import BreakKind, Days, begin_of, end_of
from meterai.reconciliation.sides import FRESH
from meterai.suspense import Break

DAYS = 3  # compared by default; older days were compared when they ended
READING = (1 << 31) - 1  # a greater number than any stored reading has

BANK = Invariant(
    "bank_says_what_the_books_say",
    "The bank's record and our books have the same sums for every payment: received, refunded "
    "and charged back.",
    "",
)


class _NothingKept(Exception):
    """Raised to roll back the transaction of a comparison; carries the differences that were found."""

    def __init__(self, breaks: list[Break]) -> None:
        super().__init__()
        self.breaks = breaks


@dataclass(slots=True)
class _Looked:
    """Lines of some days of a rail's history, kept in memory."""

    provider: str
    days: Sequence[date]
    rows: list[str] = field(default_factory=list)
    found: list[Loaded] = field(default_factory=list)

    async def take(self, rows: str) -> None:
        self.rows.append(rows)


async def check_bank(
    database: Database, payments: PaymentService, begins: datetime, now: datetime
) -> InvariantFinding:
    """Find differences between histories of rails and our books since the day of `begins`. Raises the refusals of the rails."""
    until, first = now - FRESH, begins.astimezone(WIB).date()
    count = math.ceil((until - begin_of(first)) / timedelta(days=1))
    days = [first + timedelta(days=number) for number in range(count)]
    names = [one for one in payments.rails.names() if payments.rails.kind(one).is_history_there]
    looked = [await _read(payments, name, days, until) for name in names]

    async def look(tx: Tx) -> None:
        await tx.allow(COMPARE_SECONDS)
        raise _NothingKept([found for one in looked for found in await _compared(tx, one, until)])

    breaks: list[Break] = []
    try:
        await database.run(look)
    except _NothingKept as ended:
        breaks = ended.breaks
    # Unmatched lines come first, so that a long list of differences does not hide them.
    loaded = [one for rail in looked for one in rail.found]
    unmatched = [line for one in loaded for line in one.unmatched]
    rows: list[dict[str, object]] = [
        {"line": line.told, "is": f"odd: {line.why}"} for line in unmatched
    ]
    rows += map(_told, {one.key: one for one in breaks}.values())
    more = sum(one.unreadable for one in loaded) - len(unmatched)
    return InvariantFinding(BANK, len(rows) + more, rows[:SHOWN_MAX])


async def _read(
    payments: PaymentService, provider: str, days: Sequence[date], until: datetime
) -> _Looked:
    looked = _Looked(provider, days)
    for day in days:
        loading = Loading(provider, day, READING, looked.take)
        begins, ends = begin_of(day), min(end_of(day), until)
        movements = payments.rails.of(provider).history(begins, ends)
        await loading.take_history(movements, begins, ends)
        looked.found.append(loading.found)
    return looked


async def _compared(tx: Tx, looked: _Looked, until: datetime) -> list[Break]:
    """Return the differences between a rail's history and the books, without those whose money is in suspense."""
    for rows in looked.rows:
        await store.add(tx, rows)
    for day in looked.days:
        await store.look(tx, looked.provider, day, READING)
    first, last = await store.known_days(tx)
    breaks: list[Break] = []
    for day in looked.days:
        of = Days(looked.provider, day, READING, first or day, last or day, until)
        doubted = await doubted_of(tx, of)
        found = await sides.differing(tx, of, doubted.payments, BREAKS_MAX)
        some, _ = await breaks_of(tx, of, doubted, [one for one in found if not one.suspended])
        lines = differences.line_breaks(of, await store.unplaced(tx, of, BREAKS_MAX))
        breaks += [*some, *(one for one in lines if one.reason == BreakKind.LINE_UNPLACED)]
    return breaks


def _told(one: Break) -> dict[str, object]:
    rupiah = one.amount.value if one.amount else 0
    about = {"number": one.payment or one.reference, "reference": one.reference, "rupiah": rupiah}
    return {**about, "difference": one.difference, "is": str(one.reason)}
