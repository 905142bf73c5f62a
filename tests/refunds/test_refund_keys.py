"""Idempotency-Key of a refund: a repeat finds the same refund, and no money goes back twice."""

import asyncio
from uuid import UUID

import pytest

from meterai.kit.ids import show
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.observe.exchange import EXCHANGE, Exchange
from meterai.refunds import RefundService
from meterai.refunds.service import RefundView
from tests.support.shop import TESTER, Shop


async def _asked(shop: Shop, order: UUID, key: str | None) -> tuple[RefundView, bool]:
    """Request a refund; return it, and True if it is a repeat."""
    EXCHANGE.set(exchange := Exchange())
    refunds = shop.container.of(RefundService)
    view = await refunds.ask(shop.account, order, key, actor=TESTER)
    return view, exchange.is_replayed


def ask(shop: Shop, order: UUID, key: str | None) -> tuple[RefundView, bool]:
    return shop.do(_asked(shop, order, key))


def bought(shop: Shop, quantity: int) -> UUID:
    order = shop.place(quantity)
    shop.tell(shop.pay(order))
    shop.work()
    return order


def test_repeated_refund_with_same_key_is_the_same_and_marked(shop: Shop) -> None:
    order = bought(shop, 2)
    first, is_repeat = ask(shop, order, "k")
    assert not is_repeat
    assert ask(shop, order, "k") == (first, True)
    assert len(shop.refunds()) == 1
    shop.send(shop.refunds()[0])
    shop.settle(shop.refunds()[0])
    again, is_repeat = ask(shop, order, "k")
    assert (again.id, again.state, is_repeat) == (first.id, "settled", True)
    shop.assert_books_hold()


def test_key_of_another_order_is_refused_without_a_refund(shop: Shop) -> None:
    one, two = bought(shop, 1), bought(shop, 1)
    ask(shop, one, "k")
    with pytest.raises(IdempotencyKeyReused):
        ask(shop, two, "k")
    assert len(shop.refunds()) == 1
    shop.assert_books_hold()


def test_other_key_finds_the_requested_refund_and_is_kept(shop: Shop) -> None:
    order = bought(shop, 1)
    first, _ = ask(shop, order, "k")
    assert ask(shop, order, "other") == (first, True)
    assert ask(shop, order, None) == (first, True)
    keys = shop.rows("SELECT idempotency_key AS key, refund_id FROM refund_keys ORDER BY 1")
    assert [(one["key"], show("rfd", one["refund_id"])) for one in keys] == [
        ("k", first.id),
        ("other", first.id),
    ]


def test_requests_with_one_key_at_once_are_one_refund(shop: Shop) -> None:
    order = bought(shop, 2)

    async def all_at_once() -> list[tuple[RefundView, bool]]:
        tasks = [asyncio.create_task(_asked(shop, order, "k")) for _ in range(6)]
        return list(await asyncio.gather(*tasks))

    found = shop.do(all_at_once())
    assert sorted(is_repeat for _, is_repeat in found) == [False] + [True] * 5
    assert len({view.id for view, _ in found}) == 1
    shop.assert_books_hold()
