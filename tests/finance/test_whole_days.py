"""Whole days with the files of a stand-in bank: reconciled, closed, and verified; each difference is a break."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from beancount import loader

from meterai.finance import payouts, reports, store
from meterai.finance.model import PeriodBalance
from meterai.kit.clock import SystemClock
from meterai.kit.days import Month
from standins.bank.accounts import FLOAT_ACCOUNT, OWN_ACCOUNT
from tests.finance.conftest import Books
from tests.support.commands import run_here
from tests.support.pulling import member
from tests.support.records import breaks, fetched, night, reconcile, today
from tests.support.shop import PRICE
from tests.support.till import Till, open_till

NTPN, BILLING = "0A1B2C3D4E5F6G7H", "820251234567890"
FEE, TAX = 74, 8  # fee of 0.7 % on Rp10.000 plus Rp500, rounded half up, and the tax of 11 % on it
PAID = PRICE + 500


@pytest.fixture
def counter(database_url: str, tmp_path: Path) -> Iterator[Till]:
    """A till at a new bank with agreed fees."""
    with open_till(
        database_url,
        tmp_path,
        service_fee=500,
        provider_fees="bank.qris=7/1000 float.transfer=2500",
        statement_names=f"float={FLOAT_ACCOUNT}",
        float_opening=0,
    ) as till:
        till.control("fees", qris_basis_points=70)
        yield till


def executed(till: Till) -> str:
    """An order that was paid."""
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    assert till.shop.state(order) == "executed"
    return qr


def settled(till: Till, amount: int) -> None:
    """The bank pays into the operator's account, and reports it in both records."""
    reference = f"STL{today():%Y%m%d}"
    told = {"kind": "settlement", "reference": reference, "remark": "SETTLEMENT"}
    till.control("money", account=OWN_ACCOUNT, amount=amount, **told)


def compared(till: Till, folder: Path) -> None:
    """Reconcile each record of the day with the files of the bank."""
    for provider, name in (
        ("bank", "settlement.csv"),
        ("account", f"statement.mt940?account={OWN_ACCOUNT}"),
        ("float", f"statement.csv?account={FLOAT_ACCOUNT}"),
    ):
        path = fetched(till, folder / f"{provider}.record", name)
        assert reconcile(till, files=[path], provider=provider).state == "final"
        till.shop.work()


def paid_out(till: Till, rupiah: int) -> str:
    """A payout of duty sent to the bank; returns its id."""
    finance, supervisor = member(till.shop, "finance"), member(till.shop, "supervisor")
    month = str(Month.of(today()))
    supervisor.decide(finance.pull("finance payout propose", amount=str(rupiah), month=month))
    books = Books(till.shop)
    [found] = books.read(lambda tx: store.newest_payouts(tx, 1))
    finance.pull("finance payout send", payout=found.shown, billing_code=BILLING)
    return found.shown


def test_day_with_fees_settlement_refund_and_payout_closes_with_nothing_open(
    counter: Till, database_url: str, tmp_path: Path
) -> None:
    till, books = counter, Books(counter.shop)
    executed(till)
    twice = executed(till)
    till.control("pay", qr_content=twice)
    till.ask()
    till.send_refunds()
    payout = paid_out(till, 2 * PRICE)
    net = 3 * (PAID - FEE - TAX) - PAID
    settled(till, net)
    paid = {"remark": f"MPN BILLING {BILLING} NTPN {NTPN}", "kind": "payout"}
    till.control("money", account=OWN_ACCOUNT, amount=-2 * PRICE, **paid)
    filled = {"reference": "FILL1", "kind": "other"}
    to, of = f"to {FLOAT_ACCOUNT}", f"from {OWN_ACCOUNT}"
    till.control("money", account=OWN_ACCOUNT, amount=-1_000_000, remark=to, **filled)
    till.control("money", account=FLOAT_ACCOUNT, amount=1_000_000, remark=of, **filled)

    compared(till, tmp_path)
    assert breaks(till) == []
    found = books.read(lambda tx: payouts.one(tx, payout))
    assert (found.state, found.ntpn) == ("confirmed", NTPN)
    held = {one.book: -one.closing for one in trial(books) if one.closing}
    assert held.pop("bank_account") == net - 2 * PRICE - 1_000_000
    assert held.pop("refund_float") == 1_000_000
    assert (held.pop("provider_fee"), held.pop("provider_tax")) == (3 * FEE, 3 * TAX)
    assert held.pop("service_fee") == -2 * 500
    assert {book for book in held if book.startswith("stamps")} == held.keys()  # no rupiah is left
    accounts = till.do(till.bank.look("accounts"))
    assert (accounts["held"], accounts["own"]) == (0, net - 2 * PRICE - 1_000_000)
    compared_again(till, tmp_path)
    till.assert_books_hold()

    books.ago(2)  # in its first minutes, yesterday cannot be closed yet
    till.shop.arrange("UPDATE record_days SET day = day - 2")
    assert books.close(books.day(2)).breaks == []
    path = tmp_path / "books.beancount"
    days = ("--from", str(books.day(2)), "--to", str(books.day()), "--out", str(path))
    assert run_here(tmp_path, "finance", "ledger", *days, DATABASE_URL=database_url).returncode == 0
    assert loader.load_file(str(path))[1] == []


def compared_again(till: Till, folder: Path) -> None:
    """Reconcile the same lines in other bytes: nothing is posted twice."""
    entries = till.rows("SELECT count(*) AS count FROM entries")
    for provider in ("bank", "account", "float"):
        path = folder / f"{provider}.record"
        path.write_bytes(path.read_bytes() + b"\r\n")
        found = reconcile(till, files=[path], provider=provider)
        assert (found.broken, found.matched) == (0, found.lines)
        till.shop.work()
    assert till.rows("SELECT count(*) AS count FROM entries") == entries


def trial(books: Books) -> list[PeriodBalance]:
    """Return the trial balance, and check that it balances in each unit."""
    found = books.read(lambda tx: reports.trial_balance(tx, SystemClock().now()))
    for unit in ("IDR", "STAMP"):
        of_unit = [one for one in found if one.of.unit == unit]
        assert sum(one.on_debit for one in of_unit) == sum(one.on_credit for one in of_unit)
    return found


def test_day_with_another_fee_no_settlement_and_money_of_nobody_has_three_breaks(
    counter: Till, tmp_path: Path
) -> None:
    till = counter
    for _ in range(2):
        executed(till)
    settled(till, 2 * (PAID - FEE - TAX))
    till.control("money", account=OWN_ACCOUNT, amount=77_000, remark="SETORAN TUNAI", kind="other")
    till.control("faults", file_fee_rounded=1)
    path = fetched(till, tmp_path / "settlement.csv", "settlement.csv")
    assert reconcile(till, files=[path]).broken == 2
    path = fetched(till, tmp_path / "statement.csv", "statement.csv")
    without = [row for row in path.read_text().splitlines(keepends=True) if "STL" not in row]
    path.write_text("".join(without).replace("PeriodBalance", "Held"))
    assert reconcile(till, files=[path], provider="account").broken == 1
    assert breaks(till) == [
        ("account_moved", 77_000, 0, None),
        ("fee_not_booked", FEE + 1, 0, -FEE - 1),
        ("settlement_not_booked", 2 * (PAID - FEE - TAX), 0, -2 * (PAID - FEE - TAX)),
    ]
    assert (till.book("provider_fee"), till.book("provider_tax")) == (-FEE, -2 * TAX)
    [told] = till.rows(
        "SELECT told FROM suspense_items WHERE reason = 'fee_not_booked' AND state = 'open'"
    )
    assert b'"fee":75' in bytes(told["told"])
    till.assert_books_hold()


def test_settlement_is_matched_when_its_statement_comes_a_day_later(
    counter: Till, tmp_path: Path
) -> None:
    till = counter
    executed(till)
    settled(till, PAID - FEE - TAX)
    statement = fetched(till, tmp_path / "statement.csv", "statement.csv")
    reconcile(till, night(1), files=[statement], provider="account")
    assert breaks(till) == [("account_moved", PAID - FEE - TAX, 0, None)]
    reconcile(till, files=[fetched(till, tmp_path / "settlement.csv", "settlement.csv")])
    assert breaks(till) == []
    assert till.book("bank_account") == -(PAID - FEE - TAX)
    [row] = Books(till.shop).read(
        lambda tx: reports.providers(tx, reports.EVER, SystemClock().now())
    )
    assert (row.provider, row.closing, row.settled, row.fee, row.tax) == (
        *("bank", 0, PAID - FEE - TAX),
        *(FEE, TAX),
    )
    till.assert_books_hold()
