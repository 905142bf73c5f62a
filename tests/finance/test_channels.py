"""Duty and fees by channel: stored sums, and their equality with the legs."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from meterai.audit.history import BEGINNING
from meterai.finance import reports, tables
from meterai.finance.invariants import compare_channel_sums
from meterai.finance.model import ChannelReport, SalesChannel
from meterai.finance.service import FinanceService
from meterai.kit.days import Month
from meterai.ledger import figures_of
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.database import ReadTx
from tests.finance.conftest import Books
from tests.support.depot import UNIT, Depot
from tests.support.shop import FEE, PRICE


@pytest.fixture
def depot(books: Books) -> Depot:
    found = Depot(books.shop)
    found.approve()
    found.top_up(20 * PRICE)
    return found


def found_on(books: Books, first: int, last: int) -> reports.ByChannel:
    return books.read(lambda tx: reports.channels(tx, books.day(first), books.day(last)))


def by_key(found: reports.ByChannel) -> dict[tuple[SalesChannel, UUID], ChannelReport]:
    return {(one.channel, one.seller): one for one in found.whole}


def count(books: Books) -> int:
    runs = 0
    while books.shop.do(books.shop.container.of(FinanceService).count_channels()):
        runs += 1
    return runs


def buy(books: Books, quantity: int) -> None:
    """Place an order by API, pay it, and execute it."""
    books.shop.pay(books.shop.place(quantity))
    books.shop.work()


def checked(books: Books) -> bool:
    """True if some sum by channel differs from its legs."""
    part = AuditedPart(
        books.shop.container.database, books.shop.container.settings, None, BEGINNING
    )
    return not books.shop.do(compare_channel_sums(part)).holds


def of_legs(books: Books, first: int, last: int) -> Counter[tuple[str, str]]:
    """Sum of each reason and book over some days, from the tables."""
    sums: Counter[tuple[str, str]] = Counter()
    for one in books.legs():
        day = (one["posted_at"] + timedelta(hours=7)).date()
        if books.day(first) <= day <= books.day(last):
            sums[one["reason"], one["book"]] += one["amount"]
    return sums


def totals_of(found: reports.ByChannel) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for one in found.whole:
        for row in one.sums.rows():
            sums[row.reason, row.book] += row.amount
    return sums


def test_sales_of_a_distributor_are_apart_from_its_deposit_and_from_retail(
    books: Books, depot: Depot
) -> None:
    depot.sell(3)
    depot.work()
    buy(books, 2)
    found = by_key(found_on(books, 0, 0))
    sold = found[SalesChannel.DISTRIBUTOR, depot.account]
    assert (sold.figure("sold").stamps, sold.figure("due").rupiah) == (3, 3 * PRICE)
    assert (sold.paid, sold.service_fee) == (3 * UNIT, 3 * FEE)
    deposit = found[SalesChannel.DEPOSIT, depot.account]
    assert deposit.paid == 20 * PRICE
    assert deposit.sums.of("deposits") == 20 * PRICE - 3 * UNIT
    assert deposit.figure("due").rupiah == 0
    [retail] = [one for (channel, _), one in found.items() if channel is SalesChannel.API]
    assert retail.figure("due").rupiah == 2 * PRICE
    books.shop.assert_books_hold()


def test_channels_add_up_to_the_books_with_any_stored_sums(books: Books, depot: Depot) -> None:
    depot.sell(3)
    depot.work()
    books.lives()
    books.ago(3)
    books.lives()
    books.ago(1)
    depot.sell(1)
    depot.work()
    before = found_on(books, 4, 0)
    assert totals_of(before) == of_legs(books, 4, 0)
    assert count(books) >= 2  # one day each
    after = found_on(books, 4, 0)
    assert totals_of(after) == totals_of(before)
    rows = books.shop.rows("SELECT count(*) FILTER (WHERE is_kept) AS kept FROM channel_sums")
    assert rows[0]["kept"] > 0
    assert not checked(books)
    depot.sell(1)
    depot.work()
    assert totals_of(found_on(books, 4, 0)) == of_legs(books, 4, 0)
    count(books)
    counted = books.read(lambda tx: reports.channels_counted(tx, books.day()))
    key = SalesChannel.DEPOSIT, depot.account
    assert counted.month[key].sums.of("deposits") == depot.balance
    sold = counted.today[SalesChannel.DISTRIBUTOR, depot.account].figure("sold")
    assert (sold.stamps, counted.sold_on[depot.account]) == (2, books.day())
    assert not checked(books)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE channel_sums SET amount = amount + 1 WHERE book = 'service_fee'",
        "UPDATE channel_sums SET channel = 'none' WHERE channel = 'api'",
        "UPDATE channel_sums SET seller_id = gen_random_uuid() WHERE channel = 'distributor'",
        "DELETE FROM channel_sums",
        "UPDATE channel_counts SET kept_until = kept_until + interval '1 day'",
    ],
)
def test_stored_sum_that_differs_from_legs_is_found(
    books: Books, depot: Depot, change: str
) -> None:
    depot.sell(1)
    depot.work()
    buy(books, 1)
    books.ago(2)
    count(books)
    buy(books, 1)
    assert not checked(books)
    books.shop.arrange(change)
    assert checked(books)


def test_duty_of_channels_adds_up_to_duty_of_month(books: Books, depot: Depot) -> None:
    depot.sell(2)
    depot.work()
    books.lives()
    month = Month.of(books.day())
    wish = reports.asked_of_month(month)
    taxes = books.read(lambda tx: reports.taxes(tx, wish.begin, wish.end))
    found = books.read(lambda tx: reports.channels(tx, month.first, month.last))
    due = next(one for one in taxes.figures if one.name == "due")
    assert sum(one.figure("due").rupiah for one in found.whole) == due.rupiah
    assert sum(one.figure("due").stamps for one in found.whole) == due.stamps
    assert sum(one.service_fee for one in found.whole) == taxes.service_fee
    by_day = sum(figures_of(one.sums)[-1].rupiah for one in found.by_day)
    assert by_day == due.rupiah


@pytest.mark.parametrize("language", ["id", "en"])
def test_table_names_sellers_and_ends_with_sums(books: Books, depot: Depot, language: str) -> None:
    depot.sell(2)
    depot.work()
    buy(books, 1)

    async def ask(tx: ReadTx) -> list[list[object]]:
        found = await reports.channels(tx, books.day(), books.day())
        sheet = tables.channels(found.by_day, found.names, language, by_day=True)
        assert len(sheet.head) == len(sheet.rows[0])
        return [list(row) for row in sheet.rows]

    *rows, total = books.read(ask)
    assert {row[2] for row in rows} >= {"Toko Meterai", ""}
    assert total[8] == 3 * PRICE
    assert total[6] == 3 * UNIT, "the top-up is not counted beside what was sold from it"


def test_sums_that_differ_from_legs_are_found_by_the_audit(books: Books) -> None:
    books.lives()
    books.ago(2)
    count(books)
    assert not checked(books)
    books.shop.arrange("UPDATE channel_sums SET amount = amount + 1 WHERE book = 'duty_payable'")
    assert checked(books)


def test_payment_by_deposit_is_money_at_the_wholesale_rail(books: Books, depot: Depot) -> None:
    depot.sell(2)
    depot.work()
    now = books.shop.container.clock.now() + timedelta(minutes=1)
    found = books.read(lambda tx: reports.providers(tx, now - timedelta(days=2), now))
    by_name = {one.provider: one for one in found}
    assert set(by_name) == {"bank", "wholesale"}
    assert (by_name["wholesale"].captured, by_name["wholesale"].closing) == (2 * UNIT, 0)
