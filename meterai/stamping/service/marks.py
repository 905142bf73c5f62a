"""Version tags for the documents of orders; a page uses them to find out whether its content has changed."""

from collections.abc import Sequence

from meterai.orders import OrderKey
from meterai.plumbing.db.database import ReadTx
from meterai.stamping import store


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Return a version tag for each of these orders.

    The tag of an order differs whenever a page would show another state of its documents. Orders without documents are omitted.
    """
    return {OrderKey(one.account, one.order): one.mark for one in await store.marks(tx, wanted)}
