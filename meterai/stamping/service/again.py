"""A document that was stamped before is not stamped again unless somebody plainly wants it.

Who lost our answer sends the same file once more, from a new form: that must not cost a stamp.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from meterai.plumbing.database import Tx
from meterai.stamping import store
from meterai.stamping.model import StampedBefore

Agreed = Collection[bytes]  # SHA-256 of documents that shall be stamped although they were before


async def check_not_again(
    tx: Tx, account: UUID, made: Mapping[UUID, bytes], agreed: Agreed
) -> None:
    """Look whether one of the documents of these new stampings has another that is alive.

    Their rows are locked by now, so of two requests at once the later one sees the other.
    Refuses `StampedBefore`; what the transaction did is then undone.
    """
    asked = [sha256 for sha256 in made.values() if sha256 not in agreed]
    if not asked:
        return
    found = await store.alive(tx, account, asked, list(made))
    if found:
        raise StampedBefore(found)
