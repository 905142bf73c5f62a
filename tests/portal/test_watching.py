"""Waiting for an order to change: soon, bounded, and nothing is asked while nobody waits."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from meterai.kit.ids import new_id
from meterai.portal import watching
from meterai.portal.watching import OrderWatch, fingerprint
from tests.support.shop import Shop


@pytest.fixture
def watch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrderWatch]:
    monkeypatch.setattr(watching, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    made = OrderWatch(shop.container.database)
    yield made
    shop.do(asyncio.sleep(0.2))
    assert made._looking is None, "nobody waits: nothing looks"
    assert not made._waiting


def waiting(watch: OrderWatch, shop: Shop, order: UUID, *seen: str) -> Any:
    return watch.change(shop.account, order, fingerprint(seen[0], seen[1:]))


async def meanwhile(wait: Any, act: Any) -> bool:
    asked = asyncio.ensure_future(wait)
    await asyncio.sleep(0.1)
    await act
    return bool(await asked)


def test_a_payment_is_seen(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place(1)

    async def lapse() -> None:
        await shop.container.database.call(
            "SELECT order_abandon(%s, %s, 'withdrawn')", shop.account, order
        )

    assert shop.do(meanwhile(waiting(watch, shop, order, "placed"), lapse()))


def test_each_step_of_a_document_is_seen(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place_documents([1, 1])
    shop.pay(order)
    shop.work()
    first, _ = shop.stampings

    async def deliver() -> None:
        await shop.container.database.call(
            "SELECT stamping_fail(%s, %s, 'document_broken')", shop.account, first
        )

    wait = waiting(watch, shop, order, "paid", "reserved", "reserved")
    assert shop.do(meanwhile(wait, deliver()))
    # What was seen is not as it is now: there is nothing to wait for.
    assert shop.do(waiting(watch, shop, order, "placed"))


def test_nothing_happens_and_the_wait_ends(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place(1)
    assert not shop.do(waiting(watch, shop, order, "placed"))
    # What is not there, or another's, never changes.
    assert not shop.do(waiting(watch, shop, new_id(), "placed"))
    assert not shop.do(watch.change(new_id(), order, "paid"))


def test_an_account_and_a_process_wait_a_bounded_number_of_times(
    shop: Shop, watch: OrderWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.place(1)

    async def many(count: int) -> int:
        tasks = [asyncio.ensure_future(waiting(watch, shop, order, "placed")) for _ in range(count)]
        await asyncio.sleep(0.1)
        held = len(watch._waiting)
        await asyncio.gather(*tasks)
        return held

    assert shop.do(many(9)) == watching.WAITING_OF_ACCOUNT_MAX
    monkeypatch.setattr(watching, "WAITING_MAX", 2)
    assert shop.do(many(9)) == 2


def test_one_look_is_for_all(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place(1)
    looks = 0
    compare = watch._compare

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await compare()

    watch._compare = counted  # type: ignore[method-assign]

    async def several() -> None:
        await asyncio.gather(*(waiting(watch, shop, order, "placed") for _ in range(4)))

    shop.do(several())
    assert 5 <= looks <= 25, "one each twentieth of a second, however many wait"
