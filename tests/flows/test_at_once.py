"""Concurrent acts: each promise holds with as many sessions as the connection pool has."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import UUID

import pytest

from meterai.orders import OrderKind, OrderService
from meterai.orders import store as order_store
from meterai.refunds import store as refund_store
from meterai.stamping import store as stamping_store
from tests.support.shop import FEE, PRICE, Paid, Shop

TIMES = 8  # each race is repeated, since its winner is random


def at_once(shop: Shop, *works: Awaitable[object]) -> list[object]:
    async def together() -> list[object]:
        return list(await asyncio.gather(*works))

    return shop.do(together())


@pytest.fixture
def quota(shop: Shop) -> UUID:
    """An executed order of ten stamps."""
    order = shop.place(10)
    shop.pay(order)
    shop.work()
    assert shop.balance().available == 10
    return order


def test_sixteen_concurrent_reservations_take_ten_stamps(shop: Shop, quota: UUID) -> None:
    answers = at_once(shop, *(shop.reserving(1) for _ in range(16)))
    assert sum(answer is not None for answer in answers) == 10
    balance = shop.balance()
    assert (balance.available, balance.held) == (0, 10)
    assert len(shop.rows("SELECT DISTINCT serial FROM stamps")) == 10
    shop.assert_books_hold()


def test_concurrent_reservations_with_same_key_reserve_once(shop: Shop, quota: UUID) -> None:
    answers = at_once(shop, *(shop.reserving(1, "the same") for _ in range(8)))
    assert len({answer["id"] for answer in answers}) == 1  # type: ignore[index]
    assert sum(answer["created"] for answer in answers) == 1  # type: ignore[index]
    assert shop.balance().held == 1
    shop.assert_books_hold()


def test_concurrent_orders_with_same_key_place_once(shop: Shop) -> None:
    async def placing() -> object:
        service = shop.container.of(OrderService)
        terms = await service.terms(shop.account, "the same", b"r", OrderKind.STAMPS, 1)
        return await shop.container.database.call(order_store.PLACE, *terms.arguments())

    answers = at_once(shop, *(placing() for _ in range(8)))
    assert len({answer["id"] for answer in answers}) == 1  # type: ignore[index]
    assert len(shop.rows("SELECT 1 FROM payment_attempts")) == 1


def test_payment_notified_eight_times_concurrently_is_posted_once(shop: Shop) -> None:
    order = shop.place(1)
    attempt = shop.attempts(order)[0]
    told = Paid(attempt, "P1", PRICE + FEE)
    answers = at_once(
        shop,
        *(shop.telling(told, how) for how in ["notification", "question"] * 4),
    )
    assert Counter(answers) == {
        "captured": 1,
        "known": 7,
    }
    shop.work()
    assert shop.balance().available == 1
    shop.assert_books_hold()


def test_payment_notified_for_eight_orders_concurrently_pays_one(shop: Shop) -> None:
    for _ in range(TIMES):
        shop.clear()
        attempts = [shop.attempts(shop.place(1))[0] for _ in range(8)]
        answers = at_once(shop, *(shop.telling(Paid(one, "P1", PRICE + FEE)) for one in attempts))
        assert Counter(answers) == {"captured": 1, "elsewhere": 7}
        shop.work()
        assert shop.balance().available == 1
        shop.assert_books_hold()


def test_two_concurrent_payments_execute_an_order_once(shop: Shop) -> None:
    for _ in range(TIMES):
        shop.clear()
        order = shop.place(2)
        for _ in range(3):
            shop.pay(order)
        worker, other = shop.worker(concurrency=8), shop.worker(concurrency=8)
        at_once(shop, worker.run_batch(), other.run_batch())
        shop.work()
        assert shop.balance().available == 2
        assert len(shop.refunds()) == 2
        shop.assert_books_hold()


def test_chargeback_concurrent_with_its_settlement_leaves_right_books(shop: Shop) -> None:
    for kind in ["stamps", "documents"] * TIMES:
        shop.clear()
        order = shop.place(2) if kind == "stamps" else shop.place_documents([1, 1])
        paid = shop.pay(order)
        at_once(
            shop,
            shop.worker(concurrency=8).run_batch(),
            shop.charging_back(paid),
            shop.worker(concurrency=8).run_batch(),
        )
        shop.assert_books_hold()
        shop.work_off()
        shop.assert_books_hold()
        assert shop.state(order) in ("denied", "placed")
        # A document in progress keeps its stamp. The stamp of a failed one was no loss.
        for stamping, how in zip(shop.stampings, (shop.deliver, shop.fail), strict=False):
            how(stamping)
        shop.work_off()
        shop.assert_books_hold()
        assert shop.in_flight() == 0


def test_concurrent_reservations_and_refund_share_the_stamps(shop: Shop) -> None:
    for _ in range(TIMES):
        shop.clear()
        order = shop.place(6)
        shop.pay(order)
        shop.work()
        answers = at_once(
            shop, *(shop.reserving(1) for _ in range(4)), shop.asking_back(order), shop.reserving(1)
        )
        returned = answers[4]
        reserved = sum(isinstance(answer, dict) for answer in answers)
        assert returned == 6 - reserved
        assert (shop.balance().available, shop.balance().held) == (0, reserved)
        shop.assert_books_hold()


def test_concurrent_refund_requests_refund_once(shop: Shop, quota: UUID) -> None:
    answers = at_once(shop, *(shop.asking_back(quota) for _ in range(6)))
    assert sorted(answers) == [0, 0, 0, 0, 0, 10]  # type: ignore[type-var]
    shop.assert_books_hold()


def test_first_of_concurrent_deliveries_counts(shop: Shop, quota: UUID) -> None:
    for _ in range(TIMES):
        stamping = shop.reserve(1)
        one = (shop.account, stamping)
        answers = at_once(
            shop,
            *(
                shop.container.database.call(
                    stamping_store.DELIVER, *one, b"delta", shop.delta_hash, b"s" * 32
                )
                for _ in range(3)
            ),
            shop.container.database.call(stamping_store.FAIL, *one, "not_in_time"),
        )
        assert len({answer["state"] for answer in answers}) == 1  # type: ignore[index]
        shop.work()
        shop.assert_books_hold()


def test_concurrent_withdrawal_and_payment_end_in_one_state(shop: Shop) -> None:
    for _ in range(TIMES):
        shop.clear()
        order = shop.place(1)
        shop.pay(order)
        at_once(
            shop,
            shop.worker(concurrency=8).run_batch(),
            shop.container.database.call(order_store.ABANDON, shop.account, order, "withdrawn"),
        )
        shop.work()
        assert shop.state(order) in ("executed", "withdrawn")
        assert len(shop.refunds()) == (shop.state(order) == "withdrawn")
        shop.assert_books_hold()


def test_concurrent_refund_and_execution_end_in_one_state(shop: Shop) -> None:
    for _ in range(TIMES):
        shop.clear()
        order = shop.place(1)
        shop.set_issuing(is_open=False)
        shop.pay(order)
        shop.work()
        shop.set_issuing(is_open=True)
        refund = shop.refund_terms()
        at_once(
            shop,
            shop.container.database.call(order_store.EXECUTE, shop.account, order),
            shop.container.database.call(refund_store.NOT_EXECUTED, shop.account, order, *refund),
        )
        shop.work()
        assert shop.balance().available == (shop.state(order) == "executed")
        assert len(shop.refunds()) == (shop.state(order) == "returning")
        shop.assert_books_hold()


def test_concurrent_chargeback_and_refund_move_the_money_once(shop: Shop) -> None:
    for more in [-1, 700] * (TIMES // 2):
        shop.clear()
        order = shop.place(1)
        paid: Paid = shop.pay(order, more)
        shop.work_once()  # settled: `money_to_return` waits
        at_once(
            shop,
            shop.worker(concurrency=8).run_batch(),
            shop.charging_back(paid),
        )
        at_once(shop, shop.worker(concurrency=8).run_batch(), shop.worker().run_batch())
        shop.work_off()
        shop.assert_books_hold()
        assert shop.in_flight() == 0
