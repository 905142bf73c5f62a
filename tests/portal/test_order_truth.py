"""What the page of an order says of money is what the bank has seen, after whatever happened to it."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import new_id
from meterai.orders import OrderService
from meterai.pages import Site, rendered
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.order_told import Told
from meterai.portal.routes import routes
from meterai.portal.routes.order import _Asked, _facts
from tests.support.pages import application, asked_by_somebody
from tests.support.shop import BankRecord, Shop

APP = application(routes, Site(*pages_of()), AccountService)
CARD = re.compile(r'<tr class="(\w+)">.*?<td>Rp([\d.]+)</td>', re.DOTALL)
MOVE = re.compile(r'<ol class="moves">(.*?)</ol>', re.DOTALL)
NOT_PAID = re.compile("belum membayar|tidak membayar apa pun|have not paid|No money|Belum ada uang")


def _short(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.pay(order, more=-5_000)
    shop.work()
    return order


def _paid(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.pay(order)
    shop.work()
    return order


def _twice(shop: Shop) -> UUID:
    order = _paid(shop)
    shop.pay(order)
    shop.work()
    return order


def _late(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.give_up(order, "withdrawn")
    shop.pay(order)
    shop.work()
    return order


def _asked_back(shop: Shop) -> UUID:
    order = _paid(shop)
    shop.ask_back(order)
    shop.work()
    return order


def _settled(shop: Shop) -> UUID:
    order = _asked_back(shop)
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    return order


def _denied(shop: Shop, amount: int | None = None) -> UUID:
    order = shop.place(2)
    paid = shop.pay(order)
    shop.work()
    shop.deny(paid, amount)
    shop.work()
    return order


def _denied_after_refund(shop: Shop) -> UUID:
    order = _settled(shop)
    shop.deny(shop.paid[-1])
    shop.work()
    return order


def _documents(shop: Shop, how: Callable[[Shop, UUID], Any]) -> UUID:
    order = shop.place_documents([1, 1])
    shop.pay(order)
    shop.work()
    first, second = shop.stampings
    shop.deliver(first)
    how(shop, second)
    shop.work()
    return order


def _used(shop: Shop, *, is_delivered: bool, asked_back: bool = False) -> UUID:
    order = _paid(shop)
    stamping = shop.reserve(1)
    assert stamping is not None
    if is_delivered:
        shop.deliver(stamping)
    if asked_back:
        shop.ask_back(order)
    shop.work()
    return order


def _one_used_the_other_taken(shop: Shop) -> UUID:
    order = _used(shop, is_delivered=True)
    shop.deny(shop.paid[-1], 4_000)
    shop.work()
    return order


def _given_back_by_itself(shop: Shop) -> UUID:
    order = _paid(shop)
    paid = shop.paid[-1]
    shop.given_back(paid, paid.amount)
    assert shop.bank is not None
    shop.bank.refunded[new_id()] = order, paid.amount
    shop.work()
    return order


STORIES: dict[str, Callable[[Shop], UUID]] = {
    "placed": lambda shop: shop.place(2),
    "lapsed": lambda shop: _given_up(shop, "lapsed"),
    "withdrawn": lambda shop: _given_up(shop, "withdrawn"),
    "too little": _short,
    "paid": _paid,
    "paid twice": _twice,
    "paid late": _late,
    "asked back": _asked_back,
    "given back": _settled,
    "taken back": _denied,
    "a part taken back": lambda shop: _denied(shop, 4_000),
    "taken back after it was given back": _denied_after_refund,
    "one is held": lambda shop: _used(shop, is_delivered=False),
    "one is held, the other asked back": lambda shop: _used(
        shop, is_delivered=False, asked_back=True
    ),
    "one is used": lambda shop: _used(shop, is_delivered=True),
    "one is used, the other asked back": lambda shop: _used(
        shop, is_delivered=True, asked_back=True
    ),
    "one is used, the other taken back": _one_used_the_other_taken,
    "given back by the bank itself": _given_back_by_itself,
    "a document failed": lambda shop: _documents(shop, lambda shop, one: shop.fail(one)),
    "documents stamped": lambda shop: _documents(shop, lambda shop, one: shop.deliver(one)),
    "one is being stamped": lambda shop: _documents(shop, lambda shop, one: None),
}


def _given_up(shop: Shop, state: str) -> UUID:
    order = shop.place(2)
    shop.give_up(order, state)
    shop.work()
    return order


def number(text: str) -> int:
    return int(text.replace(".", ""))


@pytest.mark.parametrize("story", STORIES)
def test_the_money_of_the_page_is_what_the_bank_holds(shop: Shop, story: str) -> None:
    shop.bank = BankRecord()
    order = STORIES[story](shop)
    asked = _Asked(shop.account, order)
    facts = shop.do(_facts(shop.container.of(OrderService), asked))
    seen = shop.bank.of(order)
    for language in LANGUAGES:
        main = rendered(asked_by_somebody(APP, language), "portal/order_main.html", facts)
        card = {name: number(value) for name, value in CARD.findall(main)}
        held = card.get("captured", 0) - card.get("charged_back", 0) - card.get("refunded", 0)
        assert held == seen["captured"] - seen["charged_back"] - seen["refunded"]
        assert card.get("captured", 0) == seen["captured"]
        rest = card.get("executed", 0) + card.get("in_flight", 0)
        assert held + card.get("loss", 0) == rest
        assert bool(NOT_PAID.search(main)) == (not seen["captured"])
        # Each refund has the one number, and what came stands in the list of what happened.
        for row in shop.rows("SELECT refund_no FROM refunds WHERE order_id = %s", order):
            assert row["refund_no"] in main
        if seen["captured"]:
            [moves] = MOVE.findall(main)
            denied, given_back, covered = (
                moves.find(translate(f"page.move.{reason}", language))
                for reason in ("payment_denied", "payment_given_back", "loss_recovered")
            )
            taken = max(denied, given_back)
            assert covered < 0 or 0 <= taken < covered, "what was taken is covered after that"
            assert moves.count("<li>") > 1
            assert "page.move" not in moves
    shop.assert_books_hold()


# What is said of the stamps of a purchase of two: the headline, and where each of them is.
SAID: dict[str, tuple[str, ...]] = {
    "paid": ("stamps", "unused"),
    "one is held": ("stamps", "unused", "held"),
    "one is held, the other asked back": ("being_used", "held", "given_back"),
    "one is used": ("stamps", "unused", "affixed"),
    "one is used, the other asked back": ("given_back", "affixed", "given_back"),
    "one is used, the other taken back": ("none_left", "affixed", "taken"),
    "a part taken back": ("stamps", "unused", "taken"),
}


@pytest.mark.parametrize("story", SAID)
def test_every_stamp_is_said_to_be_where_the_books_have_it(shop: Shop, story: str) -> None:
    shop.bank = BankRecord()
    order = STORIES[story](shop)
    facts = shop.do(_facts(shop.container.of(OrderService), _Asked(shop.account, order)))
    said = facts["told"]
    assert isinstance(said, Told)
    headline, *places = SAID[story]
    assert said.headline == f"page.order.headline.{headline}"
    assert said.leads == tuple(f"page.order.stamps.{place}" for place in places)
    assert all(said.facts[place] == 1 for place in places if place != "unused")
