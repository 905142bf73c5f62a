"""Comparison of a record with payments, refunds and books, line by line: each difference is an item with its money."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai.kit.ids import show
from tests.support.pulling import Member, member
from tests.support.records import (
    TESTER,
    breaks,
    executed,
    line,
    look,
    night,
    reconcile,
    says,
    service,
    today,
)
from tests.support.shop import PRICE
from tests.support.till import Till

SUM = PRICE


@pytest.fixture(autouse=True)
def quiet(till: Till) -> None:
    says(till)  # the bank has payments of earlier tests, which our books lack


def test_day_in_which_all_agrees_is_final(till: Till) -> None:
    says(till, line(*executed(till), SUM))
    found = reconcile(till)
    assert (found.state, found.lines, found.matched, found.broken) == ("final", 1, 1, 0)
    assert breaks(till) == []


def test_payment_without_an_order_is_money_in_suspense(till: Till) -> None:
    says(till, line("EM-of-nobody", "P-of-nobody", SUM))
    found = reconcile(till)
    assert (found.state, found.matched, found.broken) == ("final", 0, 1)
    assert breaks(till) == [("payment_not_in_books", SUM, SUM, None)]
    assert till.book("suspense") == SUM
    reconcile(till)
    assert breaks(till) == [("payment_not_in_books", SUM, SUM, None)]


def test_payment_that_the_record_does_not_have_is_a_break(till: Till) -> None:
    executed(till)
    reconcile(till)
    assert breaks(till) == [("payment_not_in_record", SUM, 0, -SUM)]


def test_break_is_explained_by_a_later_record(till: Till) -> None:
    reference, number = executed(till)
    reconcile(till)
    says(till, line(reference, number, SUM))
    reconcile(till)
    assert breaks(till) == [("record_changed", SUM, 0, None)]
    [row] = till.rows(
        "SELECT resolution FROM suspense_items WHERE reason = 'payment_not_in_record'"
    )
    assert row["resolution"] == "explained"


def test_unmatched_line_is_a_break_of_its_own_and_stops_no_other(till: Till) -> None:
    reference, number = executed(till)
    unmatched: dict[str, Any] = line("EM-x", "P-x") | {
        "amount": {"value": "ten", "currency": "IDR"}
    }
    says(till, unmatched, line(reference, number, SUM))
    found = reconcile(till)
    assert (found.lines, found.matched, found.unreadable, found.broken) == (2, 1, 1, 1)
    assert breaks(till) == [("line_unreadable", None, 0, None)]


def test_other_sum_of_a_payment_is_a_break(till: Till) -> None:
    reference, number = executed(till)
    says(till, line(reference, number, SUM + 1_000))
    reconcile(till)
    assert breaks(till) == [("payment_sum_differs", 1_000, 0, 1_000)]


def test_chargeback_of_an_unread_day_is_not_won(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.control("deny", qr_content=qr)
    till.ask()
    assert [row["won"] for row in till.rows("SELECT won FROM chargebacks")] == [0]
    # Another provider is days ahead; the record of ours has the payment, and the next day was not read.
    till.shop.arrange(
        "INSERT INTO record_days (provider, day, state, source, leased_until, ended_at)"
        " SELECT provider, (now() AT TIME ZONE 'Asia/Jakarta')::date + ahead, 'final', 'history', now(), now()"
        " FROM (VALUES ('bank', 2), ('bank', 3), ('other', 9)) AS days (provider, ahead)"
    )
    says(till, line(till.reference(attempt), number))
    reconcile(till)
    till.shop.work()
    assert till.rows("SELECT won, posted FROM chargebacks") == [{"won": 0, "posted": PRICE}]
    till.shop.arrange("DELETE FROM record_days")


def test_refund_and_chargeback_that_only_the_record_has_are_booked(till: Till) -> None:
    reference, number = executed(till)
    given = line(reference, number, 2_000, type="REFUND", additionalInfo={"refundNo": "B1"})
    taken = line(reference, number, 500, type="CHARGEBACK")
    says(till, line(reference, number, SUM), given, taken)
    reconcile(till)
    till.shop.work()
    assert till.book("bank_clearing") == -(SUM - 2_500)
    reconcile(till)
    assert breaks(till) == []


def test_matched_payment_is_closed_by_the_record(till: Till) -> None:
    says(till, line(*executed(till), SUM))
    reconcile(till)
    [row] = till.rows("SELECT recorded_at IS NOT NULL AS is_closed FROM captures")
    assert row["is_closed"]


def test_own_refund_missing_in_the_record_is_a_break(till: Till) -> None:
    order = till.order()
    till.control("pay", qr_content=order[2])
    till.control("pay", qr_content=order[2])
    till.ask()
    till.send_refunds()
    lines = [line(till.reference(order[1]), number, amount) for number, amount in till.captured()]
    says(till, *lines)
    reconcile(till)
    assert breaks(till) == [("refund_not_in_record", SUM, 0, SUM)]


def pull(till: Till, lever: str, *, who: Member | None = None, **asked: Any) -> Any:
    """Pull a lever that resolves the one open item."""
    [row] = till.rows("SELECT item_id FROM suspense_items WHERE state = 'open'")
    if order := asked.pop("order", None):
        [account] = till.rows("SELECT email FROM accounts WHERE account_id = %s", till.shop.account)
        asked |= {"order": show("ord", UUID(order.removeprefix("ord_"))), "email": account["email"]}
    found = (who or member(till.shop, "finance")).pull(
        lever, "a test", item=show("sus", row["item_id"]), **asked
    )
    till.shop.work()
    return found


def test_write_off_needs_a_second_person_and_posts_once(till: Till) -> None:
    executed(till)
    reconcile(till)
    approver = member(till.shop, "supervisor")
    pulled = pull(till, "breaks write-off")
    assert not pulled.is_done
    approver.decide(pulled)
    assert till.book("written_off") == -SUM
    assert till.book("bank_clearing") == 0
    reconcile(till)
    assert breaks(till) == []


def test_money_in_suspense_that_the_bank_returned_leaves_the_books(till: Till) -> None:
    paid = line("EM-of-nobody", "P-of-nobody", SUM)
    says(till, paid)
    reconcile(till)
    assert pull(till, "breaks return", number="B77").is_done
    assert (till.book("suspense"), till.book("bank_clearing")) == (0, 0)
    says(till, paid, line("EM-of-nobody", "P-of-nobody", SUM, type="REFUND"))
    reconcile(till)
    assert [one for one in breaks(till) if one[0] != "record_changed"] == []


def test_days_are_compared_by_themselves_once(till: Till) -> None:
    says(till, line(*executed(till), SUM))
    look(till, night(), workers=4)
    found = till.rows("SELECT provider, state, reading, broken FROM record_days ORDER BY provider")
    assert [tuple(row.values()) for row in found] == [
        ("bank", "final", 1, 0),
        ("credit", "final", 1, 0),
        ("wholesale", "final", 1, 0),
    ]


def test_line_that_the_record_moves_to_the_next_day_ends_its_break(till: Till) -> None:
    reference, number = executed(till)
    says(till)
    reconcile(till)
    assert breaks(till) == [("payment_not_in_record", PRICE, 0, -PRICE)]
    tomorrow = today() + timedelta(days=1)
    moved = f"{tomorrow}T00:30:00+07:00"
    says(till, line(reference, number, dateTime=moved))
    found = till.do(service(till, night(1)).reconcile("bank", tomorrow, [], TESTER))
    for table in ("record_lines", "record_days"):  # the audit would refuse a record of tomorrow
        till.shop.arrange(f"DELETE FROM {table} WHERE day = %s", tomorrow)
    assert (found.lines, found.unreadable) == (1, 0)
    assert breaks(till) == [("payment_facts_differ", PRICE, 0, None)]  # hours after we booked it


@pytest.mark.parametrize(
    ("minutes", "found"), [(9, []), (11, [("payment_facts_differ", PRICE, 0, None)])]
)
def test_clock_of_the_bank_may_be_ten_minutes_ahead(
    till: Till, minutes: int, found: list[object]
) -> None:
    paid = executed(till)
    says(till, line(*paid))
    till.shop.arrange(
        "UPDATE captures SET captured_at = captured_at - make_interval(mins => %s)", minutes
    )
    try:
        reconcile(till)
        assert breaks(till) == found
    finally:
        till.shop.arrange(
            "UPDATE captures SET captured_at = captured_at + make_interval(mins => %s)", minutes
        )
