"""Orders covered by a payment that has arrived but has no consequences yet."""

from collections.abc import Sequence
from uuid import UUID

from meterai import payments
from meterai.kit.ids import read
from meterai.orders import OrderState, OrderView
from meterai.plumbing.db.database import ReadTx

_NOT_SETTLED = (
    OrderState.PLACED,
    OrderState.LAPSED,
)  # a late payment of the full amount still pays


async def covered(tx: ReadTx, account: UUID, orders: Sequence[OrderView]) -> frozenset[str]:
    """Return the ids of orders that one payment covers and that are not settled yet."""
    # Nearly all orders are skipped without a query: a page that waits for a payment asks often.
    may_be = [
        one.id for one in orders if one.state in _NOT_SETTLED and one.money.captured >= one.total
    ]
    return frozenset(
        [one for one in may_be if await payments.is_covered(tx, account, read("ord", one))]
    )
