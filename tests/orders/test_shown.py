"""An account's view of its money: every order and refund, due times, numbers."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai import refunds
from meterai.kit.ids import read
from meterai.kit.paging import ListPage
from meterai.orders import OrderService, OrderView
from meterai.plumbing.db.database import Database, Row
from meterai.refunds import RefundService
from tests.support.shop import Shop

REFUSES = "entry_differs"

Reader = Callable[[UUID, ListPage], Coroutine[Any, Any, tuple[Sequence[Any], bool]]]


def seen(shop: Shop, order: UUID) -> OrderView:
    return shop.do(shop.container.of(OrderService).view(shop.account, order))


# -- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_order_and_refund_are_on_exactly_one_page(shop: Shop, limit: int) -> None:
    placed = [shop.place(1) for _ in range(5)]
    for order in placed:
        shop.pay(order)
    shop.work()
    for order in placed:
        shop.ask_back(order)
    readers: list[tuple[Reader, str]] = [
        (shop.container.of(OrderService).list, "ord"),
        (shop.container.of(RefundService).list, "rfd"),
    ]
    for lists, kind in readers:
        found: list[str] = []
        page, is_more = ListPage(limit), True
        while is_more:
            part, is_more = shop.do(lists(shop.account, page))
            assert len(part) <= limit
            found += [one.id for one in part]
            page = ListPage(limit, read(kind, part[-1].id))
            if len(found) == limit:
                shop.place(1)  # an order placed in between does not shift the pages
        assert found == sorted(set(found), reverse=True)
        assert len(found) == 5 if kind == "rfd" else set(placed) <= {read("ord", i) for i in found}


# -- due times ------------------------------------------------------------------------------------


def test_due_time_of_a_second_payment_is_shown(shop: Shop) -> None:
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    assert seen(shop, order).refund_due_at is None, "nothing is in flight"
    # Long overdue when it is paid.
    shop.call("UPDATE orders SET due_at = due_at - interval '1 day'")
    shop.pay(order)
    captured = shop.rows("SELECT max(posted_at) AS at FROM entries")[0]["at"]
    assert seen(shop, order).refund_due_at == captured + timedelta(seconds=900), "not sorted yet"
    shop.work()
    [refund] = shop.rows("SELECT due_at FROM refunds")
    assert seen(shop, order).refund_due_at == refund["due_at"]
    for one in shop.refunds():
        shop.send(one)
        shop.settle(one)
    shop.work()
    assert seen(shop, order).refund_due_at is None


# -- one number -----------------------------------------------------------------------------------


def test_page_and_mail_show_the_same_refund_number(shop: Shop) -> None:
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    [refund] = shop.refunds()
    shop.send(refund)
    shop.settle(refund)
    shop.work()

    async def shown(database: Database) -> list[refunds.RefundView]:
        async with database.transaction() as tx:
            return await refunds.refunds_of_order(tx, shop.account, order)

    [view] = shop.do(shown(shop.container.database))
    [mail] = shop.rows("SELECT facts FROM mails WHERE template = 'refund_settled'")
    assert mail["facts"]["number"] == view.refund_number
    assert mail["facts"]["bank_number"] == view.provider_refund_number
    assert view.refund_number != view.provider_refund_number


# -- the ledger -----------------------------------------------------------------------------------


def post(shop: Shop, books: list[str], amounts: list[int], **other: object) -> Row | None:
    given = {"reason": "test", "subject": UUID(int=1)} | other
    return shop.call(
        "SELECT ledger_post(%s, 'entry', %s, %s, %s, %s) AS is_new",
        *(shop.account, given["reason"], given["subject"], books, amounts),
    )


def test_repeated_entry_is_known_and_another_under_its_id_differs(shop: Shop) -> None:
    books, amounts = ["bank_clearing", "buyer_funds", "service_fee"], [-300, 200, 100]
    assert post(shop, books, amounts) == {"is_new": True}
    assert post(shop, books, amounts) == {"is_new": False}
    assert post(shop, [*books, "duty_payable"], [*amounts, 0]) == {"is_new": False}
    others: list[tuple[list[str], list[int], dict[str, object]]] = [
        (books[:2], [-200, 200], {}),  # a leg with another sum
        (["bank_clearing", "service_fee"], [-100, 100], {}),
        (books, [-300, 100, 200], {}),
        ([*books, "duty_payable"], [-300, 200, 50, 50], {}),  # an additional leg
        (["buyer_funds", "service_fee"], [-100, 100], {}),
        (books, amounts, {"reason": "another"}),
        (books, amounts, {"subject": UUID(int=2)}),
    ]
    for some, sums, other in others:
        with pytest.raises(Exception, match=REFUSES):
            post(shop, some, sums, **other)
    kept = shop.rows("SELECT book, credit - debit AS sum FROM legs ORDER BY book")
    assert [(row["book"], row["sum"]) for row in kept] == sorted(zip(books, amounts, strict=True))
