"""Contents that several rows use leave the store when the last of these rows is deleted, and not before."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from meterai.documents import DocumentContents, DocumentService, Removal
from meterai.documents.model import content_name
from meterai.documents.removal import UNCLAIMED_AFTER
from meterai.kit.ids import new_id
from tests.support.shop import Shop
from tests.support.store import delete_condemned, kept_objects, objects, sweep
from tests.support.stored import forget_documents, keep_document, let_time_pass

CONTENT = b"%PDF-1.7 of two accounts"
SHA256 = hashlib.sha256(CONTENT).digest()


def contents(shop: Shop) -> DocumentContents:
    return shop.container.of(DocumentContents)


def want(shop: Shop, account: UUID) -> None:
    """Write the bytes of the content, and then the row of an account."""
    shop.do(contents(shop).put(SHA256, CONTENT))
    keep_document(shop, account, SHA256, len(CONTENT))


def let_go(shop: Shop, grace: timedelta = UNCLAIMED_AFTER) -> None:
    shop.do(shop.container.database.once(contents(shop).let_go, [SHA256], grace))


def is_there(shop: Shop) -> bool:
    return [path.name for path in objects(shop)] == [content_name(SHA256)]


def test_content_of_two_accounts_stays_until_both_forget_it(shop: Shop) -> None:
    other = new_id()
    for account in (shop.account, other):
        want(shop, account)
    let_time_pass(shop)
    forget_documents(shop, shop.account)
    for _ in range(2):
        delete_condemned(shop)
        sweep(shop)
    assert is_there(shop)
    assert shop.do(shop.container.of(DocumentService).content(other, SHA256)) == CONTENT
    forget_documents(shop, other)
    delete_condemned(shop)
    assert objects(shop) == []


def test_release_by_another_row_restarts_grace(shop: Shop) -> None:
    want(shop, shop.account)
    let_time_pass(shop)
    let_go(shop)
    shop.arrange(
        "UPDATE condemned_objects SET condemned_at = condemned_at - interval '50 minutes',"
        " due_at = due_at - interval '50 minutes'"
    )
    let_go(shop)
    forget_documents(shop, shop.account)
    delete_condemned(shop, timedelta(minutes=30))
    assert is_there(shop)


def test_condemned_content_written_again_waits_for_its_row(shop: Shop) -> None:
    want(shop, shop.account)
    let_time_pass(shop)
    forget_documents(shop, shop.account)
    shop.do(contents(shop).put(SHA256, CONTENT))
    delete_condemned(shop)
    assert is_there(shop), "its row is on the way"
    sweep(shop)
    assert len(kept_objects(shop)) == 1, "it is young"


def test_content_handed_over_during_removal_stays(shop: Shop) -> None:
    """One row is deleted after the rows were read, and with it the grace period. The other row is not committed
    yet."""
    want(shop, shop.account)
    let_time_pass(shop)
    forget_documents(shop, shop.account)
    removal = shop.container.of(Removal)
    keepers = removal._keepers

    async def hand_over(names: Sequence[str]) -> set[str]:
        found = await keepers[0].wanted(names)
        await shop.container.database.once(contents(shop).let_go, [SHA256], timedelta(days=3))
        return found

    removal._keepers = [replace(keepers[0], wanted=hand_over), *keepers[1:]]
    try:
        delete_condemned(shop)
    finally:
        removal._keepers = keepers
    assert is_there(shop)
    assert len(shop.rows("SELECT 1 FROM condemned_objects WHERE due_at > now()")) == 1
