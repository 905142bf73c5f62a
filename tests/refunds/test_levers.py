"""Money that staff move goes where its forecast says."""

from typing import Any
from uuid import UUID

import pytest

from meterai import suspense
from meterai.approvals import sentences
from meterai.kit.ids import new_id, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound, Said
from meterai.kit.subjects import Subject, SubjectKind
from meterai.refunds import knows
from meterai.refunds.model import NothingToRefund, OrderTakesNoMoney
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
            await suspense.keep(tx, suspense.News(key, "notification", reason, b"{}", **money))

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


def executed(shop: Shop, quantity: int) -> UUID:
    order = shop.place(quantity)
    shop.pay(order)
    shop.work()
    return order


def test_money_that_the_bank_returned_leaves_the_books_as_forecast(shop: Shop, one: Member) -> None:
    which = item(shop)
    told = one.forecast("suspense resolve", "bank 77", item=which, how="returned")
    assert (told.rows, told.rupiah, booked(shop)) == (1, SUM, SUM)
    assert "Rp10.500" in sentences(told, "en")[0]
    assert one.pull("suspense resolve", "bank 77", item=which, how="returned").is_done
    assert booked(shop) == 0


def test_money_is_applied_to_the_order_of_the_forecast(shop: Shop, one: Member) -> None:
    which, order = item(shop), shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    asked = {"item": which, "how": "applied", "order": show("ord", order), "email": email(shop)}
    told = one.forecast("suspense resolve", "told by phone", **asked)
    assert told.rupiah == SUM
    assert told.effects[0].facts["order"] == show("ord", order)
    assert one.pull("suspense resolve", "told by phone", **asked).is_done
    shop.work()
    assert (shop.state(order), booked(shop)) == ("executed", 0)


def test_item_without_money_ends_as_forecast(shop: Shop, one: Member) -> None:
    which = item(shop, None, "unreadable")
    told = one.forecast("suspense resolve", "noise", item=which, how="dismissed")
    assert (told.effects[0].word, told.rupiah) == ("suspense_ends_without_money", 0)
    assert one.pull("suspense resolve", "noise", item=which, how="dismissed").is_done
    with pytest.raises(NotAllowedNow):
        one.forecast("suspense resolve", "noise", item=which, how="dismissed")


def test_resolving_of_much_money_needs_two_people(shop: Shop, one: Member) -> None:
    which, approver = item(shop, 1_000_000), member(shop, "supervisor")
    pulled = one.pull("suspense resolve", "bank 77", item=which, how="returned")
    assert (pulled.is_done, booked(shop)) == (False, 1_000_000)
    approver.decide(pulled)
    assert booked(shop) == 0
    [row] = shop.rows("SELECT resolved_by, note FROM suspense_items")
    assert (row["resolved_by"], row["note"]) == (f"staff:{approver.desk.shown}", "bank 77")


def test_forecast_of_resolving_refuses_what_resolving_refuses(shop: Shop, one: Member) -> None:
    money, nothing, order = item(shop), item(shop, None, "unreadable"), shop.place(2)
    applied = {"how": "applied", "order": show("ord", order), "email": email(shop)}
    for refusal, asked in (
        (ItemUnknown, {"item": show("sus", new_id()), "how": "dismissed"}),
        (MoneyBooked, {"item": money, "how": "dismissed"}),
        (MoneyBooked, {"item": nothing} | applied),
        (OrderTakesNoMoney, {"item": money} | applied),
        (Malformed, {"item": money, "how": "applied"}),
        (Malformed, {"item": money, "how": "kept"}),
        (NotFound, {"item": "ord_1", "how": "dismissed"}),
    ):
        with pytest.raises(refusal):
            one.forecast("suspense resolve", "why", **asked)


def test_unused_stamps_go_back_to_their_owner_as_forecast(shop: Shop, one: Member) -> None:
    order = executed(shop, 3)
    assert shop.reserve(1)
    told = one.forecast("refunds ask", order=show("ord", order))
    assert (told.rows, told.rupiah) == (2, 2 * SUM)
    assert one.pull("refunds ask", order=show("ord", order)).is_done
    assert [row["amount"] for row in shop.rows("SELECT amount FROM refunds")] == [told.rupiah]
    [row] = shop.rows("SELECT account_id, actor FROM audit_events WHERE action = 'refund_asked'")
    assert (row["account_id"], row["actor"]) == (shop.account, f"staff:{one.desk.shown}")


def test_refund_that_staff_asked_for_is_told_as_theirs(shop: Shop, one: Member) -> None:
    theirs, own = executed(shop, 1), executed(shop, 1)
    assert one.pull("refunds ask", order=show("ord", theirs)).is_done
    shop.ask_back(own)

    async def causes(about: Subject) -> list[object]:
        async with shop.container.database.reading() as tx:
            told = await knows.tell(tx, about)
        return [line.facts["cause"] for line in told if line.word == "refund_begun"]

    staff, buyer = Said("refund.cause.asked_by_staff", {}), Said("refund.cause.asked", {})
    for order, cause in ((theirs, staff), (own, buyer)):
        about = Subject(SubjectKind.ORDER, show("ord", order), shop.account)
        assert shop.do(causes(about)) == [cause]
    about = Subject(SubjectKind.ACCOUNT, show("acc", shop.account), shop.account)
    assert shop.do(causes(about)) == [buyer, staff]


def test_order_that_has_nothing_to_give_back_is_refused(shop: Shop, one: Member) -> None:
    unpaid, given = shop.place(1), executed(shop, 1)
    shop.ask_back(given)
    for order in (unpaid, given):
        with pytest.raises(NothingToRefund):
            one.forecast("refunds ask", order=show("ord", order))
        with pytest.raises(NothingToRefund):
            one.pull("refunds ask", order=show("ord", order))
    with pytest.raises(NotFound):
        one.forecast("refunds ask", order=show("ord", new_id()))
    assert len(shop.rows("SELECT 1 FROM refunds")) == 1
