"""How far the documents of orders are."""

from collections.abc import Sequence

from meterai.orders import OrderKey
from meterai.plumbing.database import ReadTx
from meterai.stamping import store
from meterai.stamping.model import StampingState


async def steps(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, list[StampingState]]:
    """The states of the documents of these orders, in the order they came."""
    found: dict[OrderKey, list[StampingState]] = {}
    for one in await store.steps(tx, wanted):
        found.setdefault(OrderKey(one.account, one.order), []).append(one.state)
    return found
