"""Which orders are paid by what has arrived, in the moment before anything follows from it."""

from collections.abc import Sequence
from uuid import UUID

from meterai import payments
from meterai.kit.ids import read
from meterai.orders import OrderState, OrderView
from meterai.plumbing.db.database import ReadTx

_NOT_SETTLED = (OrderState.PLACED, OrderState.LAPSED)  # a late payment that is enough still pays


async def covered(tx: ReadTx, account: UUID, orders: Sequence[OrderView]) -> frozenset[str]:
    """Ids of those of these orders that one payment covers and nothing followed from yet."""
    # Of nearly all orders nothing is asked: a page that waits for a payment looks often.
    may_be = [
        one.id for one in orders if one.state in _NOT_SETTLED and one.money.captured >= one.total
    ]
    return frozenset(
        [one for one in may_be if await payments.is_covered(tx, account, read("ord", one))]
    )
