"""An account's view of its money: every order and refund, due times, numbers."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
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


def test_list_has_only_orders_of_its_account(shop: Shop) -> None:
    shop.place(1)
    stranger = UUID(int=7)
    assert shop.do(shop.container.of(OrderService).list(stranger)) == ([], False)
    assert shop.do(shop.container.of(RefundService).list(stranger, ListPage())) == ([], False)


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


def test_due_time_is_that_of_the_last_refund(shop: Shop) -> None:
    order = shop.place(1)
    for _ in range(3):
        shop.pay(order)
        shop.work()
    first, last = shop.refunds()
    shop.call("UPDATE refunds SET due_at = due_at + interval '1 hour' WHERE refund_id = %s", last)
    shop.send(first)
    shop.settle(first)
    shop.work()
    [row] = shop.rows("SELECT due_at FROM refunds WHERE refund_id = %s", last)
    assert seen(shop, order).refund_due_at == row["due_at"]


def test_waiting_order_shows_the_latest_due_time_of_a_refund(shop: Shop) -> None:
    order = shop.place(1)
    [row] = shop.rows("SELECT lapses_at, due_seconds FROM orders")
    last: datetime = row["lapses_at"] + timedelta(seconds=row["due_seconds"])
    assert seen(shop, order).refund_due_at == last
    shop.give_up(order, "lapsed")
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


def test_balanced_subset_of_an_entry_is_another_entry(shop: Shop) -> None:
    books = ["bank_clearing", "buyer_funds", "stamps_issued", "stamps_available"]
    assert post(shop, books, [-100, 100, -1, 1]) == {"is_new": True}
    for some, sums in ((books[:2], [-100, 100]), (books[2:], [-1, 1])):
        with pytest.raises(Exception, match=REFUSES):
            post(shop, some, sums)


@pytest.mark.parametrize(
    ("books", "amounts"),
    [
        ([], []),
        (["bank_clearing", "buyer_funds"], [0, 0]),
        (["bank_clearing", "buyer_funds"], [-1, None]),
        (["bank_clearing", "stamps_available"], [-1, 1]),
        (["bank_clearing", "nowhere"], [-1, 1]),
    ],
)
def test_empty_entry_is_refused(shop: Shop, books: list[str], amounts: list[int]) -> None:
    with pytest.raises(Exception, match="entry_unbalanced"):
        post(shop, books, amounts)
    assert not shop.rows("SELECT 1 FROM entries")
