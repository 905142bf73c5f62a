"""Commands of three rooms in one transaction: all of them take effect, or none."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from meterai import refunds, stamps, suspense
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.plumbing.db.database import Tx
from meterai.suspense import ProviderNews, Resolution
from tests.support.shop import Shop

PETUGAS = Actor(ActorKind.STAFF, show("acc", new_id()))
NOW = datetime.now(UTC)
TABLES = [
    "suspense_items",
    "refunds",
    "stamp_lots",
    "issuing",
    "audit_events",
    "jobs",
    "entries",
    "legs",
    "balances",
]


class _Given(Exception):
    """Raised by the caller of the commands at the very end, to undo them."""


def suspended(shop: Shop) -> UUID:
    """An item in suspense that holds no money."""

    async def keep(tx: Tx) -> None:
        await suspense.keep(tx, ProviderNews("told", "notification", "unreadable", b"{}"))

    shop.do(shop.container.database.run(keep))
    [row] = shop.rows("SELECT item_id FROM suspense_items")
    item: UUID = row["item_id"]
    return item


def composed(shop: Shop, item: UUID, order: UUID, followed: list[str], *, gives_up: bool) -> None:
    """Resolve an item, refund unused stamps and stop issuing, in one transaction of one person."""

    async def act(tx: Tx) -> None:
        tx.after_commit(lambda: followed.append("committed"))
        await suspense.resolve(tx, item, Resolution.DISMISSED, actor=PETUGAS, note="seen")
        due_at = NOW + timedelta(days=1)
        await refunds.ask(tx, shop.account, order, None, due_at=due_at, actor=PETUGAS)
        await stamps.set_issuing(tx, is_open=False, reason="a flood", actor=PETUGAS)
        if gives_up:
            raise _Given

    shop.do(shop.container.database.run(act))


def everything(shop: Shop) -> dict[str, list[str]]:
    """Every row of the three rooms, of the books and of the audit trail."""
    return {
        table: sorted(str(row["one"]) for row in shop.rows(f"SELECT t::text AS one FROM {table} t"))
        for table in TABLES
    }


def paid_stamps(shop: Shop) -> UUID:
    order = shop.place(3)
    shop.tell(shop.pay(order))
    shop.work()
    return order


def test_commands_in_one_transaction_all_take_effect(shop: Shop) -> None:
    item, order = suspended(shop), paid_stamps(shop)
    followed: list[str] = []
    composed(shop, item, order, followed, gives_up=False)
    rows = shop.rows(
        "SELECT account_id, action FROM audit_events WHERE actor = %s ORDER BY action", str(PETUGAS)
    )
    assert [(row["account_id"], row["action"]) for row in rows] == [
        (NOBODY, "issuing_stopped"),
        (shop.account, "refund_asked"),
        (NOBODY, "suspense_dismissed"),
    ]
    assert shop.rows("SELECT state FROM suspense_items") == [{"state": "resolved"}]
    assert shop.rows("SELECT stamps FROM refunds") == [{"stamps": 3}]
    assert shop.rows("SELECT is_open FROM issuing") == [{"is_open": False}]
    assert followed == ["committed"]
    shop.assert_books_hold()


def test_commands_in_a_rolled_back_transaction_have_no_effect(shop: Shop) -> None:
    item, order = suspended(shop), paid_stamps(shop)
    before, followed = everything(shop), list[str]()
    with pytest.raises(_Given):
        composed(shop, item, order, followed, gives_up=True)
    assert everything(shop) == before
    assert followed == []
    shop.assert_books_hold()
