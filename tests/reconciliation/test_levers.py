"""Resolutions of an item: each does what its forecast says, posts its own entries, and dismisses no money."""

from typing import Any

import pytest

from meterai import suspense
from meterai.approvals import sentences
from meterai.kit.ids import new_id, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound
from meterai.reconciliation.model import NotABreak
from meterai.refunds.model import OrderTakesNoMoney
from meterai.suspense import ItemUnknown, MoneyBooked
from tests.support.pulling import Member, member
from tests.support.shop import FEE, PRICE, Shop

SUM = PRICE + FEE


@pytest.fixture
def one(shop: Shop) -> Member:
    return member(shop, "finance")


def item(shop: Shop, amount: int | None = SUM, reason: str = "reference_unknown") -> str:
    key = new_id().hex
    money: dict[str, Any] = (
        {"payment": f"S{key}", "amount": Rupiah(amount), "is_money": True} if amount else {}
    )

    async def keep() -> None:
        async with shop.container.database.transaction() as tx:
            await suspense.keep(
                tx, suspense.ProviderNews(key, "notification", reason, b"{}", **money)
            )

    shop.do(keep())
    [row] = shop.rows("SELECT item_id FROM suspense_items WHERE item_key = %s", key)
    return show("sus", row["item_id"])


def booked(shop: Shop) -> int:
    [row] = shop.rows(
        "SELECT coalesce(sum(booked), 0)::bigint AS rupiah FROM suspense_items WHERE state = 'open'"
    )
    return int(row["rupiah"])


def email(shop: Shop) -> str:
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)
    return str(row["email"])


def broken(shop: Shop, reason: str, difference: int, **more: Any) -> str:
    key = new_id().hex
    found = suspense.Break(
        key=key,
        reason=reason,
        evidence=b"{}",
        amount=Rupiah(abs(difference) or SUM),
        difference=difference,
        **more,
    )

    async def keep() -> None:
        async with shop.container.database.transaction() as tx:
            await suspense.keep_break(tx, found)

    shop.do(keep())
    [row] = shop.rows("SELECT item_id FROM suspense_items WHERE item_key = %s", key)
    return show("sus", row["item_id"])


def book(shop: Shop, name: str) -> int:
    [row] = shop.rows(
        "SELECT coalesce(sum(credit - debit), 0)::bigint AS rupiah FROM legs WHERE book = %s", name
    )
    return int(row["rupiah"])


def states(shop: Shop) -> list[str]:
    return [
        row["resolution"]
        for row in shop.rows("SELECT resolution FROM suspense_items ORDER BY opened_at")
    ]


def test_money_that_the_bank_returned_leaves_the_books_as_forecast(shop: Shop, one: Member) -> None:
    which = item(shop)
    told = one.forecast("breaks return", "seen", item=which, number="bank 77")
    assert (told.rows, told.rupiah, booked(shop)) == (1, SUM, SUM)
    assert "Rp10.500" in sentences(told, "en")[0]
    assert one.pull("breaks return", "seen", item=which, number="bank 77").is_done
    assert booked(shop) == 0
    [row] = shop.rows("SELECT note FROM suspense_items")
    assert row["note"] == "bank 77: seen"


def test_money_is_applied_to_the_order_of_the_forecast(shop: Shop, one: Member) -> None:
    which, order = item(shop), shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    asked = {"item": which, "order": show("ord", order), "email": email(shop)}
    told = one.forecast("breaks apply", "told by phone", **asked)
    assert told.rupiah == SUM
    assert told.effects[0].facts["order"] == show("ord", order)
    assert one.pull("breaks apply", "told by phone", **asked).is_done
    shop.work()
    assert (shop.state(order), booked(shop)) == ("executed", 0)


def test_item_without_money_is_dismissed_as_forecast_once(shop: Shop, one: Member) -> None:
    which = item(shop, None, "unreadable")
    told = one.forecast("breaks dismiss", "noise", item=which)
    assert (told.effects[0].word, told.rupiah) == ("break_dismissed", 0)
    assert one.pull("breaks dismiss", "noise", item=which).is_done
    with pytest.raises(NotAllowedNow):
        one.forecast("breaks dismiss", "noise", item=which)


def test_return_of_a_large_sum_needs_two_people(shop: Shop, one: Member) -> None:
    which, approver = item(shop, 1_000_000), member(shop, "supervisor")
    pulled = one.pull("breaks return", "seen", item=which, number="B1")
    assert (pulled.is_done, booked(shop)) == (False, 1_000_000)
    approver.decide(pulled)
    assert booked(shop) == 0
    [row] = shop.rows("SELECT resolved_by FROM suspense_items")
    assert row["resolved_by"] == f"staff:{approver.desk.shown}"


@pytest.mark.parametrize(
    ("reason", "name"), [("fee_not_booked", "provider_fee"), ("tax_not_booked", "provider_tax")]
)
def test_fee_is_booked_from_the_money_at_the_provider(
    shop: Shop, one: Member, reason: str, name: str
) -> None:
    which, before = broken(shop, reason, -75), (book(shop, name), book(shop, "bank_clearing"))
    assert one.pull("breaks fee", item=which).is_done
    assert (book(shop, name), book(shop, "bank_clearing")) == (before[0] - 75, before[1] + 75)


@pytest.mark.parametrize(("difference", "word"), [(-75, "break_lost"), (75, "break_gained")])
def test_write_off_is_forecast_and_waits_for_a_second_person(
    shop: Shop, one: Member, difference: int, word: str
) -> None:
    which, before = broken(shop, "payment_sum_differs", difference), book(shop, "written_off")
    assert one.forecast("breaks write-off", item=which).effects[0].word == word
    pulled = one.pull("breaks write-off", item=which)
    assert not pulled.is_done
    member(shop, "supervisor").decide(pulled)
    assert book(shop, "written_off") == before + difference


def test_two_items_of_the_same_money_are_matched_and_both_end(shop: Shop, one: Member) -> None:
    there = item(shop)
    here = broken(shop, "payment_not_in_record", -SUM, payment="P-ours")
    assert one.pull("breaks match", item=there, to="P-ours").is_done
    assert (states(shop), booked(shop)) == (["matched", "matched"], 0)
    with pytest.raises(NotAllowedNow):
        one.forecast("breaks match", item=here, to=there)


def test_settlement_is_matched_with_the_account_and_booked_there(shop: Shop, one: Member) -> None:
    before = book(shop, "bank_account")
    sent = broken(shop, "settlement_not_booked", -1_000_000)
    came = broken(shop, "account_moved", 0)
    with pytest.raises(NotABreak):
        one.forecast("breaks match", item=sent, to=came)
    shop.arrange("UPDATE suspense_items SET amount = 1000000 WHERE reason = 'account_moved'")
    pulled = one.pull("breaks match", item=sent, to=came)
    member(shop, "supervisor").decide(pulled)
    assert book(shop, "bank_account") == before - 1_000_000
    assert states(shop) == ["matched", "matched"]


def test_forecast_of_a_resolution_refuses_as_the_resolution(shop: Shop, one: Member) -> None:
    money, nothing, order = item(shop), item(shop, None, "unreadable"), shop.place(2)
    differs = broken(shop, "payment_sum_differs", 75)
    applied = {"order": show("ord", order), "email": email(shop)}
    for refusal, lever, asked in (
        (ItemUnknown, "dismiss", {"item": show("sus", new_id())}),
        (MoneyBooked, "dismiss", {"item": money}),
        (MoneyBooked, "dismiss", {"item": differs}),
        (MoneyBooked, "apply", {"item": nothing} | applied),
        (OrderTakesNoMoney, "apply", {"item": money} | applied),
        (MoneyBooked, "fee", {"item": differs}),
        (MoneyBooked, "fee", {"item": money}),
        (MoneyBooked, "write-off", {"item": nothing}),
        (NotABreak, "return", {"item": nothing, "number": "B1"}),
        (NotFound, "return", {"item": money, "number": " "}),
        (Malformed, "apply", {"item": money}),
        (NotFound, "dismiss", {"item": "ord_1"}),
    ):
        with pytest.raises(refusal):
            one.forecast(f"breaks {lever}", "why", **asked)
