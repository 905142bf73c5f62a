"""Whether anything of the documents of orders changed."""

from collections.abc import Sequence

from meterai.orders import OrderKey
from meterai.plumbing.db.database import ReadTx
from meterai.stamping import store


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """A text of each of these orders, another whenever what is told of its documents changed; those
    without documents are left out.
    """
    return {OrderKey(one.account, one.order): one.mark for one in await store.marks(tx, wanted)}
