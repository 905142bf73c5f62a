"""Check that a document that was stamped before is stamped again only if its sender agreed.

If the answer to a form was lost, its sender may send the same file again in a new form. This must not cost another stamp.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from meterai.plumbing.db.database import Tx
from meterai.stamping import store
from meterai.stamping.model import StampedBefore

Agreed = Collection[bytes]  # SHA-256 of documents to stamp although they were stamped before


async def check_not_again(
    tx: Tx,
    account: UUID,
    made: Mapping[UUID, bytes],
    agreed: Agreed,
    *,
    since: datetime | None = None,
) -> None:
    """Refuse `StampedBefore` if a document has another stamping that is delivered or still open.

    `made` maps the ids of the new stampings to the SHA-256 of their documents; documents in `agreed`, which the sender agreed
    to stamp again, are not checked. With `since`, only stampings requested since that time count. The caller has locked the
    rows of the documents: of two concurrent requests the later one finds the stampings of the other. The refusal rolls the
    transaction back.
    """
    asked = [sha256 for sha256 in made.values() if sha256 not in agreed]
    if not asked:
        return
    alive = await store.alive(tx, account, asked, list(made))
    found = [one for one in alive if since is None or one.requested_at >= since]
    if found:
        raise StampedBefore(found)
