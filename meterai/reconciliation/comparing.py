"""Differences of payments on the sides of one reading, whether it is kept or only looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

from meterai import suspense
from meterai.plumbing.db.database import Tx
from meterai.reconciliation import judging, sides, store
from meterai.reconciliation.model import FLOAT, Days, Differing, Unmatched
from meterai.suspense import Break

COMPARE_SECONDS = 900.0  # a million lines take less than a minute
TAKEN_MAX = 100_000  # payments that one record tells us of: two days of a dead provider
BREAKS_MAX = 1_000  # items of one comparison; of more their number is one, and the day is not final
ITEMS_SEEN_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Doubted:
    """Payments that a look at each line does not settle."""

    unmatched: Sequence[Unmatched]
    payments: Sequence[str]


async def doubted_of(tx: Tx, of: Days) -> Doubted:
    """Payments of which sums are compared: those that moved, are not plainly matched, or are open items.

    Each line gets the payment that it is of.  Of the account of transfers there are none: a transfer is of a buyer.
    """
    if of.provider == FLOAT:
        return Doubted((), ())
    await sides.placed(tx, of)
    unmatched = await sides.unmatched(tx, of, TAKEN_MAX)
    open_now = await suspense.open_breaks(
        tx, judging.key_of_payments(of.provider), judging.KEY_OF_REFUND, ITEMS_SEEN_MAX
    )
    found = {one.payment for one in unmatched if one.payment}
    found |= {one.payment for one in open_now if one.payment and one.key.startswith("record:")}
    return Doubted(unmatched, sorted(found | {*await sides.moved(tx, of, TAKEN_MAX)}))


async def breaks_of(
    tx: Tx, of: Days, doubted: Doubted, found: Sequence[Differing]
) -> tuple[list[Break], int]:
    """Differences of these payments, and how many lines of the reading have one."""
    lines = await store.lines_of(tx, [one.payment for one in found], ITEMS_SEEN_MAX)
    names = frozenset(one.payment for one in found)
    breaks = [
        *judging.of_payments(of, found, lines),
        *judging.of_facts(of, doubted.unmatched, names),
    ]
    return breaks, len({one.payment for one in lines if one.day == of.day} & names)
