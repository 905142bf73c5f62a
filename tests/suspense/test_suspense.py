"""Signed news is booked to its order or kept in suspense; none is dropped."""

from typing import Any
from uuid import UUID

import pytest

from meterai import suspense
from meterai.kit.lifecycle import NotAllowedNow
from meterai.plumbing.db.database import Tx
from meterai.refunds.model import OrderTakesNoMoney
from meterai.refunds.service import apply
from meterai.suspense import (
    MoneyBooked,
    PaymentContested,
    Resolution,
    SuspenseService,
)
from tests.support.shop import PRICE, TESTER
from tests.support.till import Till, paid_body


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def item_of(till: Till) -> Any:
    [row] = till.rows("SELECT * FROM suspense_items")
    return row["item_id"]


@pytest.mark.parametrize("value", ["10000", "10000.0", "10000.00", "10000.0000"])
def test_whole_rupiah_are_booked_in_any_notation(till: Till, value: str) -> None:
    _, attempt, _ = till.order()
    assert till.notify(paid_body(till.reference(attempt), value=value)) == "captured"
    assert till.captured() == [("P1", PRICE)]
    assert till.suspended() == []


def test_notification_with_the_banks_number_alone_is_booked(till: Till) -> None:
    _, attempt, _ = till.order()
    number = till.attempt(attempt)["provider_reference"]
    body = without(paid_body("-"), "originalPartnerReferenceNo") | {"originalReferenceNo": number}
    assert till.notify(body) == "captured"
    assert till.captured() == [("P1", PRICE)]


SUCCESS_BUT: dict[str, tuple[dict[str, Any], str]] = {
    "sen": ({"amount": {"value": "10000.50", "currency": "IDR"}}, "amount_unreadable"),
    "other currency": ({"amount": {"value": "10000.00", "currency": "USD"}}, "amount_unreadable"),
    "nothing": ({"amount": {"value": "0.00", "currency": "IDR"}}, "amount_unreadable"),
    "no amount": ({"amount": None}, "amount_unreadable"),
    "no number": ({"additionalInfo": {}}, "number_missing"),
    "a number that is none": ({"additionalInfo": {"rrn": "\u0000"}}, "number_missing"),
    "no details": ({"additionalInfo": "rrn"}, "number_missing"),
    "unknown status": ({"latestTransactionStatus": "99"}, "status_unknown"),
    "status of another kind": ({"latestTransactionStatus": 0}, "status_unknown"),
}


@pytest.mark.parametrize("case", SUCCESS_BUT)
def test_unbookable_news_is_kept_and_queried(till: Till, case: str) -> None:
    _, attempt, _ = till.order()
    changed, reason = SUCCESS_BUT[case]
    assert till.notify(paid_body(till.reference(attempt)) | changed) == f"suspended_{reason}"
    assert till.suspended() == [(reason, 0)]
    assert till.captured() == []
    # The bank is queried at once.
    assert till.attempt(attempt)["wait"].total_seconds() <= 0


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"\xff\xfe", b"[" * 5_000, b'{"a":1', b'"text"', b"null"]
)
def test_unreadable_signed_body_is_kept(till: Till, body: bytes) -> None:
    assert till.notify(body) == "suspended_unreadable"
    [row] = till.rows("SELECT told FROM suspense_items")
    assert row["told"] == body


def test_money_of_a_foreign_reference_is_in_the_book(till: Till) -> None:
    body = paid_body("SOMEBODY-ELSE", "P7")
    assert till.notify(body) == "suspended_reference_unknown"
    # A repeated notification belongs to the same item.
    assert till.notify(body) == "suspended_reference_unknown"
    assert till.suspended() == [("reference_unknown", PRICE)]
    assert till.book("suspense") == PRICE
    assert till.book("bank_clearing") == -PRICE
    [row] = till.rows(
        "SELECT owner, due_at > opened_at AS is_due_later, times_told FROM suspense_items"
    )
    assert row == {"owner": "operator", "is_due_later": True, "times_told": 2}


def test_unknown_payment_with_another_amount_is_booked_once(till: Till) -> None:
    till.notify(paid_body("SOMEBODY-ELSE", "P7"))
    till.notify(paid_body("SOMEBODY-ELSE", "P7", "20000.00"))
    till.notify(paid_body("SOMEBODY-ELSE", "P7", "20000.00"))
    assert till.suspended() == [("amount_differs", 0), ("reference_unknown", PRICE)]
    assert till.book("suspense") == PRICE


def test_money_without_any_reference_is_in_the_book_until_its_order_is_known(till: Till) -> None:
    _, _, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    nameless = without(paid_body("-", number), "originalPartnerReferenceNo", "originalReferenceNo")
    assert till.notify(nameless) == "suspended_reference_missing"
    assert till.book("suspense") == PRICE
    till.ask()
    assert till.captured() == [(number, PRICE)]
    assert till.suspended() == []
    assert till.book("suspense") == 0
    assert till.book("bank_clearing") == -PRICE
    assert till.notify(nameless) == "known"
    assert till.book("bank_clearing") == -PRICE


def test_answer_explains_news_without_a_number(till: Till) -> None:
    _, attempt, qr = till.order()
    till.control("pay", qr_content=qr)
    body = paid_body(till.reference(attempt)) | {"additionalInfo": {}}
    assert till.notify(body) == "suspended_number_missing"
    till.ask()
    assert len(till.captured()) == 1
    [row] = till.rows("SELECT state, resolution FROM suspense_items")
    assert row == {"state": "resolved", "resolution": "explained"}


def test_same_payment_with_another_amount_is_in_suspense(till: Till) -> None:
    _, attempt, _ = till.order()
    till.notify(paid_body(till.reference(attempt)))
    assert till.notify(paid_body(till.reference(attempt))) == "known"
    other = paid_body(till.reference(attempt), value="20000.00")
    assert till.notify(other) == "suspended_amount_differs"
    assert till.captured() == [("P1", PRICE)]
    assert till.suspended() == [("amount_differs", 0)]


def test_other_body_under_a_known_id_is_kept_and_queried(till: Till) -> None:
    _, attempt, _ = till.order()
    till.notify(paid_body(till.reference(attempt)), "1")
    till.notify(paid_body(till.reference(attempt), "P2"), "1")
    assert till.captured() == [("P1", PRICE)]
    assert till.suspended() == [("id_conflict", 0)]
    assert till.attempt(attempt)["wait"].total_seconds() <= 0


# -- a number counts once ----------------------------------------------------------------------


def test_payment_executes_one_order_only(till: Till) -> None:
    (first, attempt, _), (second, other, _) = till.order(), till.order()
    assert till.notify(paid_body(till.reference(attempt))) == "captured"
    assert till.notify(paid_body(till.reference(other))) == "suspended_number_elsewhere"
    assert [till.shop.state(order) for order in (first, second)] == ["executed", "placed"]
    assert till.captured() == [("P1", PRICE)]
    assert till.suspended() == [("number_elsewhere", 0)]
    [row] = till.rows(
        "SELECT owner, payment, due_at > opened_at AS is_due_later FROM suspense_items"
    )
    assert row == {"owner": "operator", "payment": "P1", "is_due_later": True}
    for one in (attempt, other):  # the bank is queried at once about both
        assert till.attempt(one)["wait"].total_seconds() <= 0


def test_number_under_two_foreign_references_is_booked_once(till: Till) -> None:
    till.notify(paid_body("SOMEBODY-ELSE", "P7"))
    for _ in range(2):
        till.notify(paid_body("ANOTHER", "P7"))
    assert till.suspended() == [("number_elsewhere", 0), ("reference_unknown", PRICE)]
    assert till.book("suspense") == PRICE


def test_suspended_payment_leaves_the_book_when_captured(till: Till) -> None:
    order, attempt, _ = till.order()
    till.notify(paid_body("SOMEBODY-ELSE"))
    assert till.notify(paid_body(till.reference(attempt))) == "captured"
    assert till.shop.state(order) == "executed"
    assert till.suspended() == []
    assert till.book("suspense") == 0
    assert till.book("bank_clearing") == -PRICE


def test_refunded_payment_number_is_not_captured_again(till: Till) -> None:
    order, attempt, _ = till.order()
    till.notify(paid_body("SOMEBODY-ELSE"))
    service = till.shop.container.of(SuspenseService)
    till.do(service.resolve(item_of(till), Resolution.RETURNED, actor=TESTER, note="R-1"))
    assert till.notify(paid_body(till.reference(attempt))) == "suspended_number_elsewhere"
    assert till.shop.state(order) == "placed"
    assert till.book("bank_clearing") == 0


# -- how an item ends --------------------------------------------------------------------------


def test_money_given_back_by_the_bank_leaves_the_book(till: Till) -> None:
    till.notify(paid_body("SOMEBODY-ELSE", "P7"))
    item, service = item_of(till), till.shop.container.of(SuspenseService)
    with pytest.raises(MoneyBooked):
        till.do(service.resolve(item, Resolution.DISMISSED, actor=TESTER, note="nothing"))
    till.do(service.resolve(item, Resolution.RETURNED, actor=TESTER, note="R-1"))
    assert till.book("suspense") == till.book("bank_clearing") == 0
    with pytest.raises(NotAllowedNow):
        till.do(service.resolve(item, Resolution.RETURNED, actor=TESTER, note="R-1"))
    assert till.book("bank_clearing") == 0
    acts = till.rows("SELECT action FROM audit_events WHERE action <> 'account_made'")
    assert acts == [{"action": "suspense_returned"}]


# -- money that an operator applies to an order ------------------------------------------------


def applied(till: Till, order: UUID) -> None:
    item = item_of(till)

    async def decide(tx: Tx) -> None:
        await suspense.resolve(tx, item, Resolution.APPLIED, actor=TESTER, note="by phone")
        await apply(tx, item, till.shop.account, order)

    till.do(till.shop.container.database.run(decide))
    till.shop.work()


def test_money_that_is_applied_pays_the_order_once(till: Till) -> None:
    order, attempt, _ = till.order()
    till.notify(paid_body("SOMEBODY-ELSE", "P7"))
    applied(till, order)
    assert till.shop.state(order) == "executed"
    assert till.shop.money(order) == {"captured": PRICE, "executed": PRICE}
    assert till.book("suspense") == 0
    assert till.suspended() == []
    assert till.notify(paid_body("SOMEBODY-ELSE", "P7")) == "suspended_number_elsewhere"
    assert till.notify(paid_body(till.reference(attempt), "P7")) == "known"


def test_money_is_applied_only_to_an_order_that_waits_for_this_sum(till: Till) -> None:
    order, _, _ = till.order(2)
    till.notify(paid_body("SOMEBODY-ELSE", "P7"))
    with pytest.raises(OrderTakesNoMoney):
        applied(till, order)
    [row] = till.rows("SELECT state, booked FROM suspense_items")
    assert row == {"state": "open", "booked": PRICE}
    assert till.book("suspense") == PRICE


@pytest.mark.parametrize("status", ["06", "04"])
def test_money_that_may_have_gone_back_cannot_be_applied(till: Till, status: str) -> None:
    order, _, _ = till.order()
    body = paid_body("SOMEBODY-ELSE", "P7")
    till.notify(body)
    till.notify(body | {"latestTransactionStatus": status})
    [row] = till.rows("SELECT item_id FROM suspense_items WHERE booked > 0")
    with pytest.raises(PaymentContested):
        till.do(
            till.shop.container.of(SuspenseService).resolve(
                row["item_id"], Resolution.APPLIED, actor=TESTER, note="by phone"
            )
        )
    assert till.shop.state(order) == "placed"
    assert till.book("suspense") == PRICE
