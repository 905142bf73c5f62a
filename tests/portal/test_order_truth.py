"""Sentences about money on an order's page match the bank, after every course of events."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import new_id
from meterai.orders import OrderService
from meterai.pages import Site, rendered
from meterai.pages.rendering import aloud, rupiah
from meterai.payments.model import ATTEMPTS_PER_SUBJECT_MAX
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.order_text import OrderText
from meterai.portal.routes import routes
from meterai.portal.routes.order import _facts, _OrderQuestion
from tests.portal.claims import untrue_of
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


def _short_again(shop: Shop, *, is_settled: bool = False) -> UUID:
    """A second short payment, which with the first exceeds the total."""
    order = _short(shop)
    shop.pay(order, more=-5_000)
    shop.work()
    for refund in shop.refunds() if is_settled else ():
        shop.send(refund)
        shop.settle(refund)
    shop.work()
    return order


def _two_short_at_once(shop: Shop, *, is_given_up: bool = False) -> UUID:
    """Two short payments, recorded without consequences yet."""
    order = shop.place(2)
    shop.pay(order, more=-5_000)
    shop.pay(order, more=-5_000)
    if is_given_up:
        shop.give_up(order, "lapsed")
    return order


def _just_paid(shop: Shop, *, is_lapsed: bool = False) -> UUID:
    order = shop.place(2)
    if is_lapsed:
        shop.give_up(order, "lapsed")
    shop.pay(order)
    return order


def _short_and_taken_back(shop: Shop, *, is_settled: bool) -> UUID:
    """One short payment was charged back, another is being refunded."""
    order = _short(shop)
    shop.charge_back(shop.paid[-1])
    shop.work()
    if is_settled:
        shop.pay(order, more=-15_000)
        shop.work()
        shop.send(shop.refunds()[-1])
        shop.settle(shop.refunds()[-1])
        shop.work()
    return order


def _late_and_taken_back(shop: Shop, state: str) -> UUID:
    order = shop.place(2)
    shop.give_up(order, state)
    paid = shop.pay(order, more=-5_000)
    shop.work()
    shop.charge_back(paid)
    shop.work()
    return order


def _failed_and_taken_back(shop: Shop) -> UUID:
    order = _documents(shop, lambda shop, one: shop.fail(one))
    shop.charge_back(shop.paid[-1])
    shop.work()
    return order


def _declined(shop: Shop, *, is_short: bool = False) -> UUID:
    """The attempt is declined as often as an order gets a QR."""
    order = shop.place(2)
    for _ in range(ATTEMPTS_PER_SUBJECT_MAX):
        if is_short:
            shop.pay(order, more=-5_000)
        else:
            shop.decline(shop.attempts(order)[-1])
        shop.work()
    return order


def _charged_back(shop: Shop, amount: int | None = None) -> UUID:
    order = shop.place(2)
    paid = shop.pay(order)
    shop.work()
    shop.charge_back(paid, amount)
    shop.work()
    return order


def _charged_back_after_refund(shop: Shop) -> UUID:
    order = _settled(shop)
    shop.charge_back(shop.paid[-1])
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
    shop.charge_back(shop.paid[-1], 4_000)
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
    "too little twice": _short_again,
    "too little twice, both are back": lambda shop: _short_again(shop, is_settled=True),
    "too little twice, nothing follows yet": _two_short_at_once,
    "too little twice, then lapsed": lambda shop: _two_short_at_once(shop, is_given_up=True),
    "too little, and taken back": lambda shop: _short_and_taken_back(shop, is_settled=False),
    "too little twice, one taken back": lambda shop: _short_and_taken_back(shop, is_settled=True),
    "withdrawn, paid and taken back": lambda shop: _late_and_taken_back(shop, "withdrawn"),
    "lapsed, too little and taken back": lambda shop: _late_and_taken_back(shop, "lapsed"),
    "declined as often as it gets a QR": _declined,
    "too little as often as it gets a QR": lambda shop: _declined(shop, is_short=True),
    "paid, nothing follows yet": _just_paid,
    "paid late, nothing follows yet": lambda shop: _just_paid(shop, is_lapsed=True),
    "paid": _paid,
    "paid twice": _twice,
    "paid late": _late,
    "asked back": _asked_back,
    "given back": _settled,
    "taken back": _charged_back,
    "a part taken back": lambda shop: _charged_back(shop, 4_000),
    "taken back after it was given back": _charged_back_after_refund,
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
    "a document failed, and all is taken back": _failed_and_taken_back,
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


@pytest.mark.sample(12)
@pytest.mark.parametrize("story", STORIES)
def test_money_on_the_page_matches_the_bank(shop: Shop, story: str) -> None:
    shop.bank = BankRecord()
    order = STORIES[story](shop)
    asked = _OrderQuestion(shop.account, order)
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
        # Each refund has its number, and the captured sum is in the list of events.
        for row in shop.rows("SELECT refund_no FROM refunds WHERE order_id = %s", order):
            assert aloud(row["refund_no"]) in main
        if seen["captured"]:
            [moves] = MOVE.findall(main)
            charged_back, given_back, covered = (
                moves.find(translate(f"page.move.{reason}", language))
                for reason in ("payment_denied", "payment_given_back", "loss_recovered")
            )
            taken = max(charged_back, given_back)
            assert covered < 0 or 0 <= taken < covered, "what was taken is covered after that"
            assert moves.count("<li>") > 1
            assert "page.move" not in moves
    shop.assert_books_hold()


@pytest.mark.sample(12)
@pytest.mark.parametrize("story", STORIES)
def test_sentences_about_money_match_the_bank(shop: Shop, story: str) -> None:
    """Every chosen sentence states what the bank has recorded."""
    shop.bank = BankRecord()
    order = STORIES[story](shop)
    facts = shop.do(_facts(shop.container.of(OrderService), _OrderQuestion(shop.account, order)))
    [row] = shop.rows("SELECT total FROM orders WHERE order_id = %s", order)
    left = [
        one.amount - shop.bank.taken_back.get((one.attempt, one.number), 0) for one in shop.paid
    ]
    seen = shop.bank.of(order) | {"total": row["total"], "largest": max(left, default=0)}
    said = facts["told"]
    assert isinstance(said, OrderText)
    assert untrue_of(said.leads, seen) == []
    for language in LANGUAGES:
        main = unescape(rendered(asked_by_somebody(APP, language), "portal/order_main.html", facts))
        for lead in said.leads:
            if lead.startswith("page.order.came"):
                amount = rupiah(seen["captured"])
                assert translate(lead, language, amount=amount) in main


# Sentences about the stamps of a purchase of two: the headline, and the place of each stamp.
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
def test_stamp_counts_on_the_page_match_the_books(shop: Shop, story: str) -> None:
    shop.bank = BankRecord()
    order = STORIES[story](shop)
    facts = shop.do(_facts(shop.container.of(OrderService), _OrderQuestion(shop.account, order)))
    said = facts["told"]
    assert isinstance(said, OrderText)
    headline, *places = SAID[story]
    assert said.headline == f"page.order.headline.{headline}"
    assert said.leads == tuple(f"page.order.stamps.{place}" for place in places)
    assert all(said.facts[place] == 1 for place in places if place != "unused")
