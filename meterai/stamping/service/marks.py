"""Version tags of the documents of orders."""

from collections.abc import Sequence

from meterai.orders import OrderKey
from meterai.plumbing.db.database import ReadTx
from meterai.stamping import store


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Return a tag of each of these orders that changes with every shown change of its documents. Orders without
    documents are left out.
    """
    return {OrderKey(one.account, one.order): one.mark for one in await store.marks(tx, wanted)}
