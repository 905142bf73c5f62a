"""Waiting for a change of an order: prompt, bounded, and without queries while no request waits."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from litestar import Response
from litestar.testing import RequestFactory

from meterai.accounts import PERMISSIONS, AccountService, Role
from meterai.apps.rooms import pages_of
from meterai.kit.ids import new_id, show
from meterai.orders import OrderKey, OrderService
from meterai.pages import Site, rendered
from meterai.plumbing.http.callers import Caller
from meterai.portal import watching
from meterai.portal.routes import routes
from meterai.portal.routes.order import _facts, _OrderQuestion, show_order_state
from meterai.portal.watching import OrderWatch
from tests.support.pages import application, asked_by_somebody
from tests.support.shop import Shop

APP = application(routes, Site(*pages_of()), AccountService)


@pytest.fixture
def watch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrderWatch]:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    made = OrderWatch(shop.container.database)
    yield made
    shop.do(until_it_rests(made))
    assert not made._waiting


async def until_it_rests(watch: OrderWatch) -> None:
    """Wait until the current query ends; without a waiting request none follows."""
    async with asyncio.timeout(30):
        while True:
            if watch._looking is None:
                return
            await asyncio.sleep(0.02)


def in_seconds(seconds: float) -> float:
    return time.monotonic() + seconds


async def waiting(watch: OrderWatch, shop: Shop, order: UUID, seconds: float = 1.0) -> bool:
    key = OrderKey(shop.account, order)
    return await watch.change(key, await watch.mark(key), in_seconds(seconds))


# -- every kind of change -----------------------------------------------------------------------------


def _paid(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.make_qr(shop.attempts(order)[-1])
    shop.pay(order)
    shop.work()
    return order


def _refunding(shop: Shop) -> UUID:
    order = _paid(shop)
    shop.ask_back(order)
    shop.work()
    return order


def _sent(shop: Shop) -> UUID:
    order = _refunding(shop)
    shop.send(shop.refunds()[-1])
    return order


def _documents(shop: Shop) -> UUID:
    order = shop.place_documents([1, 1])
    shop.pay(order)
    shop.work()
    return order


def _with_qr(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.make_qr(shop.attempts(order)[-1])
    return order


def _delivered(shop: Shop) -> UUID:
    order = _documents(shop)
    for one in shop.stampings:
        shop.deliver(one)
    shop.work()
    return order


def _holding(shop: Shop) -> UUID:
    order = _paid(shop)
    shop.reserve(1)
    return order


def _then_work(act: Callable[[Shop, UUID], object]) -> Callable[[Shop, UUID], None]:
    """Also run the jobs."""

    def both(shop: Shop, order: UUID) -> None:
        act(shop, order)
        shop.work()

    return both


def _give_back(shop: Shop, _: UUID) -> None:
    shop.given_back(shop.paid[-1], shop.paid[-1].amount)


# A state of the page, and an event that changes it.
CHANGES: dict[str, tuple[Callable[[Shop], UUID], Callable[[Shop, UUID], object]]] = {
    "the QR comes": (lambda shop: shop.place(2), lambda s, o: s.make_qr(s.attempts(o)[-1])),
    "the time of the QR is over": (
        _with_qr,
        lambda s, o: s.arrange(
            "UPDATE payment_attempts SET expires_at = now() - interval '1 second'"
        ),
    ),
    "the time to pay is over": (
        _with_qr,
        lambda s, o: s.arrange("UPDATE orders SET lapses_at = now() - interval '1 second'"),
    ),
    "too little is paid": (_with_qr, _then_work(lambda s, o: s.pay(o, -5_000))),
    "it is paid": (_with_qr, lambda s, o: s.pay(o)),
    "it is paid and carried out": (_with_qr, _then_work(lambda s, o: s.pay(o))),
    "it is paid twice": (_paid, _then_work(lambda s, o: s.pay(o))),
    "it lapses": (_with_qr, lambda s, o: s.give_up(o, "lapsed")),
    "it is withdrawn": (_with_qr, lambda s, o: s.give_up(o, "withdrawn")),
    "a stamp is held": (_paid, lambda s, o: s.reserve(1)),
    "a stamp is on a document": (_holding, lambda s, o: s.deliver(s.stampings[-1])),
    "a held stamp comes free": (_holding, lambda s, o: s.fail(s.stampings[-1])),
    "stamps are asked back": (_paid, lambda s, o: s.ask_back(o)),
    "a refund is sent": (_refunding, lambda s, o: s.send(s.refunds()[-1])),
    "a refund is refused": (_sent, lambda s, o: s.refuse(s.refunds()[-1])),
    "a refund is settled": (_sent, lambda s, o: s.settle(s.refunds()[-1])),
    "a refund is late": (
        _sent,
        lambda s, o: s.arrange("UPDATE refunds SET due_at = now() - interval '1 second'"),
    ),
    "a part is taken back": (_paid, _then_work(lambda s, o: s.charge_back(s.paid[-1], 4_000))),
    "all is taken back": (_paid, _then_work(lambda s, o: s.charge_back(s.paid[-1]))),
    "the bank gives it back": (_paid, _then_work(_give_back)),
    "a document is stamped": (_documents, lambda s, o: s.deliver(s.stampings[0])),
    "a document fails": (_documents, lambda s, o: s.fail(s.stampings[0])),
    "an original is forgotten": (
        _delivered,
        lambda s, o: s.arrange("UPDATE documents SET forgotten_at = now()"),
    ),
}


@pytest.mark.sample(8)
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_the_page_ends_the_wait(shop: Shop, watch: OrderWatch, change: str) -> None:
    begin, act = CHANGES[change]
    order = begin(shop)
    key = OrderKey(shop.account, order)

    def page() -> str:
        facts = shop.do(
            _facts(shop.container.of(OrderService), _OrderQuestion(shop.account, order))
        )
        return rendered(asked_by_somebody(APP, "id"), "portal/order_main.html", facts)

    before, seen = page(), shop.do(watch.mark(key))
    assert shop.do(watch.mark(key)) == seen
    act(shop, order)
    assert page() != before
    assert shop.do(watch.change(key, seen, in_seconds(30)))


# -- the request of the page
# ---------------------------------------------------------------------------


async def asked(shop: Shop, watch: OrderWatch, order: UUID, version: str = "") -> Response[Any]:
    """Return the answer to a waiting request."""
    request = RequestFactory(app=APP).get(
        "/", query_params={"wait": "1"}, headers={"If-None-Match": version}
    )
    request.scope["caller"] = Caller(  # type: ignore[typeddict-unknown-key]
        shop.account, "session", "id", "t" * 32, permissions=PERMISSIONS[Role.OWNER]
    )
    answer = await show_order_state.fn(
        request,
        orders=shop.container.of(OrderService),
        watch=watch,
        order_id=show("ord", order),
    )
    assert isinstance(answer, Response)
    return answer


# -- limits
# ---------------------------------------------------------------------------------------------


def test_wait_without_change_ends(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place(1)
    assert not shop.do(waiting(watch, shop, order))
    # An unknown order, or that of another account, never changes.
    assert not shop.do(waiting(watch, shop, new_id()))
    other = OrderKey(new_id(), order)
    assert not shop.do(watch.change(other, "", in_seconds(1)))


def test_waits_are_limited_by_account_and_process(
    shop: Shop, watch: OrderWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = OrderKey(shop.account, shop.place(1))
    seen = shop.do(watch.mark(key))

    async def many(count: int) -> int:
        until = in_seconds(60)
        tasks = [asyncio.ensure_future(watch.change(key, seen, until)) for _ in range(count)]
        await asyncio.sleep(0.1)
        held = len(watch._waiting)
        assert not watch.has_room_for(key.account)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return held

    assert shop.do(many(9)) == watching.WAITING_OF_ACCOUNT_MAX
    monkeypatch.setattr(watching, "WAITING_MAX", 2)
    assert shop.do(many(9)) == 2
    assert watch.has_room_for(key.account)


def test_one_query_serves_all_waits(shop: Shop, watch: OrderWatch) -> None:
    order = shop.place(1)
    looks = 0
    compare = watch._compare

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await compare()

    watch._compare = counted  # type: ignore[method-assign]

    async def several() -> None:
        await asyncio.gather(*(waiting(watch, shop, order) for _ in range(4)))

    begun = time.monotonic()
    shop.do(several())
    took = time.monotonic() - begun
    assert 1 <= looks <= took / watching.LOOK_SECONDS, "one in a while, however many wait"
