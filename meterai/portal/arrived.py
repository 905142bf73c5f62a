"""Orders that a payment covers, but for which the consequences of the payment (stamps, mails) are not written yet."""

from collections.abc import Sequence
from uuid import UUID

from meterai import payments
from meterai.kit.ids import read
from meterai.orders import OrderState, OrderView
from meterai.plumbing.db.database import ReadTx

# A lapsed order is among them, because a late payment of the full amount still pays it.
_NOT_SETTLED = (OrderState.PLACED, OrderState.LAPSED)


async def covered(tx: ReadTx, account: UUID, orders: Sequence[OrderView]) -> frozenset[str]:
    """Return the ids of those orders that a single payment covers and that are not marked as paid yet."""
    # Nearly all orders are skipped without a query, because a page that waits for a payment calls this often.
    may_be = [
        one.id for one in orders if one.state in _NOT_SETTLED and one.money.captured >= one.total
    ]
    return frozenset(
        [one for one in may_be if await payments.is_covered(tx, account, read("ord", one))]
    )
