"""Answers to status queries: only a success moves money, each payment by its own status."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.shop import PRICE
from tests.support.till import Till

STATUSES = ["00", "01", "02", "03", "04", "05", "06", "07"]
OTHERS = [status for status in STATUSES if status != "00"]


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def line(number: str, status: str | None, rupiah: int = PRICE) -> dict[str, Any]:
    told: dict[str, Any] = {"rrn": number, "amount": money(rupiah)}
    return told if status is None else told | {"status": status}


def answered(till: Till, **merge: Any) -> None:
    """Set the bank's answer to the status query."""
    till.answers("query", {"merge": {"amount": money(PRICE)} | merge})
    till.ask()


@pytest.mark.parametrize("status", OTHERS)
def test_number_of_an_unpaid_qr_is_no_payment(till: Till, status: str) -> None:
    order, _, _ = till.order()
    till.answers(
        "query",
        {
            "drop": ["additionalInfo"],
            "merge": {"latestTransactionStatus": status, "additionalInfo": {"rrn": "P1"}},
        },
    )
    till.ask()
    assert till.captured() == []
    assert till.shop.state(order) == "placed"


@pytest.mark.parametrize("status", OTHERS)
def test_payment_without_success_status_is_not_captured(till: Till, status: str) -> None:
    order, _, _ = till.order()
    listed = {"payments": [line("P1", status)]}
    answered(till, latestTransactionStatus="00", additionalInfo=listed)
    assert till.captured() == []
    assert till.shop.state(order) == "placed"


@pytest.mark.parametrize("status", OTHERS)
def test_success_within_an_unpaid_qr_is_not_captured(till: Till, status: str) -> None:
    till.order()
    listed = {"payments": [line("P1", "00")]}
    answered(till, latestTransactionStatus=status, additionalInfo=listed)
    assert till.captured() == []
    expected = "refunded_there" if status == "04" else "status_contradicts"
    assert till.suspended() == [(expected, 0)]


def test_payment_is_judged_by_its_own_status(till: Till) -> None:
    order, _, _ = till.order()
    listed = [
        line("P0", "03"),
        line("P1", "00"),
        line("P2", "06"),
        line("P3", None),
        "nothing",
        {"status": "00", "amount": money(PRICE)},
        {"status": "00", "rrn": "P4", "amount": {"value": "10000.50", "currency": "IDR"}},
        line("P5", "00"),
    ]
    answered(till, latestTransactionStatus="00", additionalInfo={"payments": listed})
    assert till.captured() == [("P1", PRICE), ("P5", PRICE)]
    assert [reason for reason, _ in till.suspended()] == [
        "amount_unreadable",
        "number_missing",
        "status_unknown",
        "unreadable",
    ]
    assert till.shop.state(order) == "executed"


def test_success_without_a_payment_is_in_suspense_and_queried_again(till: Till) -> None:
    _, attempt, _ = till.order()
    answered(till, latestTransactionStatus="00")
    assert till.captured() == []
    assert till.suspended() == [("number_missing", 0)]
    assert not till.attempt(attempt)["is_over"]
    answered(till, latestTransactionStatus="00")
    assert till.suspended() == [("number_missing", 0)]


NO_ANSWERS: list[dict[str, Any]] = [
    {"body": "<html>bank</html>", "content_type": "text/html"},
    {"body": "", "status": 200},
    {"body": "[]"},
    {"body": "[" * 3_000},
    {"body": '"paid"'},
    {"body": "{", "status": 404},
    {"status": 202, "merge": {"responseCode": "2025100"}},
    {"status": 202},
    {"merge": {"responseCode": "4045101"}},
    {"merge": {"responseCode": "2004700"}},
    {"drop": ["responseCode"]},
    {"status": 404, "body": "<html>no such page</html>", "content_type": "text/html"},
    {"status": 404, "body": '{"responseCode": "2005100", "latestTransactionStatus": "00"}'},
    {"status": 302, "body": ""},
    {"drop": ["latestTransactionStatus"]},
    {"merge": {"latestTransactionStatus": "success"}},
    {"merge": {"latestTransactionStatus": 0}},
    {"merge": {"additionalInfo": {"payments": {"rrn": "P1", "status": "00"}}}},
    {"hang_up": True},
    {"body": " " * 1024, "repeat": 2 * 1024},
]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=lambda answer: str(answer)[:60])
def test_unreadable_answer_moves_nothing_and_is_queried_again(
    till: Till, answer: dict[str, Any]
) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.answers("query", answer)
    till.ask()
    assert till.captured() == []
    found = till.attempt(attempt)
    assert found["state"] == "waiting"
    assert not found["is_over"]
    till.ask()
    assert till.captured() == [(number, PRICE)]


# -- chargebacks and refunds -------------------------------------------------------------------


def test_listed_chargeback_is_booked(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.control("deny", qr_content=qr)
    till.ask()
    assert till.shop.state(order) == "denied"


def test_own_refunds_in_the_record_are_no_news(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.send_refunds()
    assert till.shop.state(order) == "returned"
    till.ask()  # now the bank answers 04
    assert till.suspended() == []


def test_payment_charged_back_before_it_was_known_is_not_executed(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.control("refund", qr_content=qr)
    till.ask()
    assert till.shop.state(order) == "placed"
    assert till.suspended() == [("refunded_there", 0)]


def notice(till: Till, attempt: Any, status: str, number: str, rupiah: int) -> str | None:
    return till.notify(
        {
            "originalPartnerReferenceNo": till.reference(attempt),
            "latestTransactionStatus": status,
            "amount": money(rupiah),
            "additionalInfo": {"rrn": number},
        }
    )


def test_unasked_refund_of_the_bank_is_in_suspense(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert notice(till, attempt, "04", number, PRICE) == "refunded"
    till.look_up()
    assert till.suspended() == [("refunded_there", 0)]


def test_news_of_our_own_refund_changes_nothing(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.shop.ask_back(order)
    till.send_refunds()
    assert notice(till, attempt, "04", number, PRICE) == "refunded"
    assert till.suspended() == []


def test_cancelled_qr_that_was_paid_is_queried(till: Till) -> None:
    order, attempt, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    body = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "05",
    }
    assert till.notify(body) == "asked"
    till.ask()
    assert till.shop.state(order) == "executed"


def test_chargeback_with_unreadable_amount_books_nothing(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    body = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "06",
        "amount": {"value": "4000.50", "currency": "IDR"},
        "additionalInfo": {"rrn": number},
    }
    assert till.notify(body) == "suspended_amount_unreadable"
    assert till.shop.state(order) == "executed"


# -- chargebacks that cannot be booked ---------------------------------------------------------


@contextmanager
def chargebacks_answered(till: Till, answer: str) -> Iterator[None]:
    """Replace `payment_deny` by a function with this answer."""
    [kept] = till.rows("SELECT pg_get_functiondef('payment_deny'::regproc) AS text")
    till.shop.arrange(
        "CREATE OR REPLACE FUNCTION payment_deny(p_account uuid, p_attempt uuid, p_payment text,"
        f" p_amount bigint) RETURNS text LANGUAGE sql AS $$ SELECT '{answer}'::text $$"
    )
    try:
        yield
    finally:
        till.shop.arrange(kept["text"])


CHARGEBACKS = [
    ("ambiguous", "denial_ambiguous"),
    ("exceeds", "amount_differs"),
    ("unknown_attempt", "reference_unknown"),
]


@pytest.mark.parametrize(("answer", "reason"), CHARGEBACKS)
@pytest.mark.parametrize("number", ["P1", None])
def test_ambiguous_chargeback_is_in_suspense(
    till: Till, answer: str, reason: str, number: str | None
) -> None:
    _, attempt, _ = till.order()
    about = {} if number is None else {"rrn": number}
    body = {
        "originalPartnerReferenceNo": till.reference(attempt),
        "latestTransactionStatus": "06",
        "amount": money(4_000),
        "additionalInfo": about,
    }
    with chargebacks_answered(till, answer):
        assert till.notify(body) == f"suspended_{reason}"
        assert till.suspended() == [(reason, 0)]
        till.shop.arrange("DELETE FROM suspense_items")
        listed = [line("P1", "06", 4_000)] if number else []
        answered(till, latestTransactionStatus="06", additionalInfo={"payments": listed})
        assert till.suspended() == [(reason, 0)]
