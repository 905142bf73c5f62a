"""Documents of a shop as rows and objects: kept, forgotten, and written long ago."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

from meterai.documents import DocumentService
from tests.support.shop import Shop
from tests.support.store import objects

_KEEP = "SELECT document_keep(%s, %s, 'surat.pdf', %s, 1, now() + interval '1 day')"


def let_time_pass(shop: Shop, hours: int = 48) -> None:
    """Move everything in the store `hours` hours into the past."""
    then = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    for path in objects(shop):
        os.utime(path, (then, then))


def keep_document(shop: Shop, account: UUID, sha256: bytes, size: int) -> None:
    """Write the row of a document that is kept for a day."""
    shop.call(_KEEP, account, sha256, size)


def forget_documents(shop: Shop, account: UUID) -> None:
    """End the retention of the documents of an account."""
    shop.arrange(
        "UPDATE documents SET kept_until = now() - interval '1 second' WHERE account_id = %s",
        account,
    )
    while shop.do(shop.container.of(DocumentService).forget_old()):
        pass
