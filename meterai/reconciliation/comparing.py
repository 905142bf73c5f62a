"""Differences of payments between a reading of a record and the books, for `service` and for `looking`."""

from collections.abc import Sequence
from dataclasses import dataclass

from meterai import suspense
from meterai.plumbing.db.database import Tx
from meterai.reconciliation import differences, sides, store
from meterai.reconciliation.model import FLOAT, Days, Differing, Unmatched
from meterai.suspense import Break

COMPARE_SECONDS = 900.0  # a million lines take less than a minute
TAKEN_MAX = 100_000  # new payments of one record: as many as after two days of a provider's outage
BREAKS_MAX = 1_000  # items of one comparison; if there are more, one item tells their number, and the day is not final
ITEMS_SEEN_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Doubted:
    """Payments whose sums in the record and in the books have to be compared, and the lines that do not match plainly."""

    unmatched: Sequence[Unmatched]
    payments: Sequence[str]


async def doubted_of(tx: Tx, of: Days) -> Doubted:
    """Return the payments whose sums must be compared: those without a plain match (`sides.UNMATCHED`), and open items.

    First the payment of each line is set.  For the account of transfers the result is empty: its lines belong to buyers.
    """
    if of.provider == FLOAT:
        return Doubted((), ())
    await sides.placed(tx, of)
    unmatched = await sides.unmatched(tx, of, TAKEN_MAX)
    open_now = await suspense.open_breaks(
        tx, differences.key_of_payments(of.provider), differences.KEY_OF_REFUND, ITEMS_SEEN_MAX
    )
    found = {one.payment for one in unmatched if one.payment}
    found |= {one.payment for one in open_now if one.payment and one.key.startswith("record:")}
    return Doubted(unmatched, sorted(found | {*await sides.moved(tx, of, TAKEN_MAX)}))


async def breaks_of(
    tx: Tx, of: Days, doubted: Doubted, found: Sequence[Differing]
) -> tuple[list[Break], int]:
    """Return the breaks of differing payments, and the number of these payments that have a line on the compared day."""
    lines = await store.lines_of(tx, [one.payment for one in found], ITEMS_SEEN_MAX)
    names = frozenset(one.payment for one in found)
    breaks = [
        *differences.payment_breaks(of, found, lines),
        *differences.fact_breaks(of, doubted.unmatched, names),
    ]
    return breaks, len({one.payment for one in lines if one.day == of.day} & names)
