"""Payouts of duty: two people, a line of the bank statement, and never more than is payable."""

from datetime import UTC, datetime, timedelta

import pytest

from meterai.finance import payouts, store
from meterai.finance.model import (
    Payout,
    PayoutAboveDuty,
    PayoutDiffers,
    PayoutLineTaken,
    PayoutState,
    PayoutUnknown,
)
from meterai.kit.days import Month
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Malformed
from meterai.ledger import Sums, figures_of
from tests.finance.conftest import Books
from tests.support.pulling import Member, member

NTPN, BILLING = "0A1B2C3D4E5F6G7H", "820251234567890"


@pytest.fixture
def finance(books: Books) -> Member:
    """A person with the role finance, beside another who approves; 50,000 of duty are payable."""
    books.lives()
    assert books.read(payouts.duty_free) == 50_000
    return member(books.shop, "finance")


@pytest.fixture
def supervisor(books: Books) -> Member:
    return member(books.shop, "supervisor")


def propose(asker: Member, approver: Member, amount: int) -> None:
    month = str(Month.of(datetime.now(UTC).date()))
    pulled = asker.pull("finance payout propose", amount=str(amount), month=month)
    assert not pulled.is_done
    approver.decide(pulled)


def newest(books: Books) -> Payout:
    return books.read(lambda tx: store.newest_payouts(tx, 1))[0]


def confirm(who: Member, payout: str, **more: str) -> None:
    given = {
        "payout": payout,
        "bank_line": "2026-11-30/17",
        "amount": "40000",
        "moved_at": datetime.now(UTC).isoformat(),
        "ntpn": NTPN,
    }
    pulled = who.pull("finance payout confirm", **(given | more))
    assert not pulled.is_done, "no record says so: two people do"
    member(who.shop, "supervisor").decide(pulled)


def test_payout_moves_from_proposal_to_books(
    books: Books, finance: Member, supervisor: Member
) -> None:
    propose(finance, supervisor, 40_000)
    found = newest(books)
    assert found.state == PayoutState.APPROVED
    assert books.read(payouts.duty_free) == 10_000
    assert books.read(lambda tx: store.book_now(tx, "duty_payable")) == 50_000
    finance.pull("finance payout send", payout=found.shown, billing_code=BILLING)
    assert newest(books).state == PayoutState.SENT
    assert not [one for one in books.legs() if one["reason"] == "duty_paid_out"]
    confirm(finance, found.shown)
    found = newest(books)
    assert (found.state, found.ntpn, found.deposit_code) == ("confirmed", NTPN, "411411-902")
    legs = {one["book"]: one["amount"] for one in books.legs() if one["reason"] == "duty_paid_out"}
    assert legs == {"duty_payable": -40_000, "bank_account": 40_000}
    assert books.read(payouts.duty_free) == 10_000
    of_month = books.statement(books.month())
    lines = {one.name: one.rupiah for one in of_month.lines}
    assert (lines["paid_out"], lines["closing"]) == (-40_000, 10_000)
    assert "other" not in lines
    due = {one.name: one.rupiah for one in figures_of(Sums(of_month.sums.rows()))}["due"]
    assert due == 50_000
    books.shop.assert_books_hold()


def test_proposer_cannot_approve_payout(books: Books, finance: Member) -> None:
    month = str(Month.of(books.today()))
    pulled = finance.pull("finance payout propose", amount="100", month=month)
    with pytest.raises(Exception, match="the requester cannot approve"):
        finance.decide(pulled)
    assert books.read(lambda tx: store.newest_payouts(tx, 1)) == []


def test_payouts_do_not_exceed_duty_payable(
    books: Books, finance: Member, supervisor: Member
) -> None:
    with pytest.raises(PayoutAboveDuty):
        propose(finance, supervisor, 50_001)
    propose(finance, supervisor, 30_000)
    with pytest.raises(PayoutAboveDuty):
        propose(finance, supervisor, 20_001)
    found = newest(books)
    # Stamps are returned after the approval: the duty payable no longer covers it.
    returned = books.shop.place(3)
    books.shop.pay(returned)
    books.shop.work()
    propose(finance, supervisor, 50_000)
    books.shop.ask_back(returned)
    for one in books.read(store.open_payouts):
        with pytest.raises(PayoutAboveDuty):
            finance.pull("finance payout send", payout=one.shown, billing_code=BILLING)
    finance.pull("finance payout fail", payout=newest(books).shown)
    finance.pull("finance payout send", payout=found.shown, billing_code=BILLING)


def test_concurrent_approvals_take_duty_once(
    books: Books, finance: Member, supervisor: Member
) -> None:
    month = str(Month.of(books.today()))
    asked = [
        finance.pull("finance payout propose", amount=amount, month=month)
        for amount in ("30000", "30001")
    ]
    supervisor.decide(asked[0])
    supervisor.decide(asked[1])  # the approval is overtaken: its forecast is refused now
    assert [one.amount for one in books.read(store.open_payouts)] == [30_000]


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"amount": "39999"}, PayoutDiffers),
        ({"amount": "40001"}, PayoutDiffers),
        ({"moved_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, Malformed),
        ({"moved_at": (datetime.now(UTC) - timedelta(days=30)).isoformat()}, Malformed),
        ({"ntpn": "0A1B2C3D4E5F6G7"}, Malformed),
        ({"bank_line": " "}, Malformed),
        ({"payout": "pyo_nothing"}, PayoutUnknown),
    ],
)
def test_confirmation_needs_the_exact_line(
    books: Books,
    finance: Member,
    supervisor: Member,
    more: dict[str, str],
    refusal: type[Exception],
) -> None:
    propose(finance, supervisor, 40_000)
    found = newest(books)
    finance.pull("finance payout send", payout=found.shown, billing_code=BILLING)
    with pytest.raises(refusal):
        confirm(finance, **({"payout": found.shown} | more))
    assert newest(books).state == PayoutState.SENT


def test_line_of_the_bank_statement_confirms_one_payout(
    books: Books, finance: Member, supervisor: Member
) -> None:
    for _ in range(2):
        propose(finance, supervisor, 20_000)
        finance.pull("finance payout send", payout=newest(books).shown, billing_code=BILLING)
    first, second = books.read(store.open_payouts)
    confirm(finance, first.shown, amount="20000")
    with pytest.raises(PayoutLineTaken):
        confirm(finance, second.shown, amount="20000")


def test_step_out_of_order_is_refused(books: Books, finance: Member, supervisor: Member) -> None:
    propose(finance, supervisor, 40_000)
    found = newest(books)
    with pytest.raises(NotAllowedNow):
        confirm(finance, found.shown)
    finance.pull("finance payout fail", "the bank closed", payout=found.shown)
    assert newest(books).why_failed == "the bank closed"
    assert books.read(payouts.duty_free) == 50_000
    with pytest.raises(NotAllowedNow):
        finance.pull("finance payout send", payout=found.shown, billing_code=BILLING)
