"""Reorder of unpaid orders: nothing is uploaded again, and nothing is paid twice."""

from uuid import UUID

import pytest

from meterai.documents import DocumentForgotten
from meterai.kit.ids import read
from meterai.orders import OrderState, OrderView
from meterai.stamping import (
    ReorderService,
    StampedBefore,
    StampingService,
    stampings_of_orders,
)
from tests.support.shop import Shop
from tests.support.stamping_calls import upload

UNPAID = (OrderState.LAPSED, OrderState.WITHDRAWN)


def documents(shop: Shop, *names: str) -> UUID:
    """An order of documents."""
    uploads = [upload(name) for name in names]
    made = shop.do(shop.container.of(StampingService).order(shop.account, "first", uploads))
    order = read("ord", made.id)
    shop.placed.append(order)
    return order


def reorder(shop: Shop, order: UUID) -> OrderView:
    made = shop.do(shop.container.of(ReorderService).reorder(shop.account, order))
    if (again := read("ord", made.id)) not in shop.placed:
        shop.placed.append(again)
    return made


async def _documents_of(shop: Shop, order: UUID) -> list[tuple[str, str]]:
    async with shop.container.database.reading() as tx:
        found = await stampings_of_orders(tx, shop.account, order)
    return [(one.document_name, str(one.state)) for one in found]


@pytest.mark.parametrize("state", UNPAID)
def test_reorder_has_the_same_documents(shop: Shop, state: OrderState) -> None:
    order = documents(shop, "Surat", "Ijazah")
    shop.give_up(order, state)
    made = reorder(shop, order)
    again = read("ord", made.id)
    assert (made.state, made.quantity, made.kind) == ("placed", 2, "documents")
    # A second press, and one in another tab.
    assert reorder(shop, order).id == made.id
    shop.work()
    assert shop.state(order) == "withdrawn"
    waits = [("Surat.pdf", "waiting"), ("Ijazah.pdf", "waiting")]
    assert shop.do(_documents_of(shop, again)) == waits
    assert {one for _, one in shop.do(_documents_of(shop, order))} == {"dropped"}
    shop.pay(again)
    shop.work_off()
    assert {one for _, one in shop.do(_documents_of(shop, again))} == {"reserved"}
    shop.assert_books_hold()


def test_late_money_for_earlier_order_is_refunded(shop: Shop) -> None:
    order = documents(shop, "Surat")
    shop.give_up(order, "lapsed")
    again = read("ord", reorder(shop, order).id)
    shop.pay(order)
    shop.pay(again)
    shop.work_off()
    assert shop.money(order) == {"captured": 10_500, "in_flight": 10_500}
    [refund] = shop.rows("SELECT order_id, cause FROM refunds")
    assert (refund["order_id"], refund["cause"]) == (order, "late")
    shop.assert_books_hold()


def test_document_stamped_since_first_order_needs_agreement(shop: Shop) -> None:
    first = documents(shop, "Surat")
    shop.give_up(first, "lapsed")
    later = shop.do(
        shop.container.of(StampingService).order(shop.account, "later", [upload("Surat")])
    )
    shop.placed.append(read("ord", later.id))
    with pytest.raises(StampedBefore):
        reorder(shop, first)
    shop.assert_books_hold()


def test_forgotten_document_is_not_reordered(shop: Shop) -> None:
    order = documents(shop, "Surat", "Ijazah")
    shop.give_up(order, "lapsed")
    shop.arrange(
        "UPDATE documents SET forgotten_at = now() WHERE name = 'Ijazah.pdf'",
    )
    with pytest.raises(DocumentForgotten):
        reorder(shop, order)
    assert (shop.state(order), len(shop.rows("SELECT 1 FROM orders"))) == ("lapsed", 1)


def test_originals_are_kept_until_reorder_ends(shop: Shop) -> None:
    order = documents(shop, "Surat")
    shop.give_up(order, "lapsed")
    shop.arrange("UPDATE documents SET kept_until = now() + interval '1 minute'")
    reorder(shop, order)
    assert shop.rows("SELECT 1 FROM documents WHERE kept_until > now() + interval '1 day'")
