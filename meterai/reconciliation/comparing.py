"""Differences of payments between the newest copy of a record and the books; used by the modules `service` and `looking`."""

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
    """Payments whose sums in the record and in the books have to be compared, and the lines of the record that match no payment
    exactly.
    """

    unmatched: Sequence[Unmatched]
    payments: Sequence[str]


async def doubted_of(tx: Tx, of: Days) -> Doubted:
    """Find out to which payment each line belongs, and return the payments whose sums must be compared.

    These are payments with a line that does not match exactly (`sides.UNMATCHED`), payments whose movements of the day differ
    between record and books, and payments with an open item.  For the float account the result is empty: its transfers are
    compared by buyer.
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
    """Return the breaks of the payments in `found`, whose sums differ between the books and the provider's record, and the
    number of those of them that the record of the compared day contains.
    """
    lines = await store.lines_of(tx, [one.payment for one in found], ITEMS_SEEN_MAX)
    names = frozenset(one.payment for one in found)
    breaks = [
        *differences.payment_breaks(of, found, lines),
        *differences.fact_breaks(of, doubted.unmatched, names),
    ]
    return breaks, len({one.payment for one in lines if one.day == of.day} & names)
