"""Reports of the books, each recomputed from the legs."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from meterai.accounts import NOBODY
from meterai.finance import reports
from meterai.finance.model import (
    LINES_MAX,
    UNPLACED,
    BookStatement,
    StatementRequest,
    StatementScope,
)
from meterai.kit.days import Month, begin_of
from meterai.kit.ids import show
from meterai.kit.refusal import Malformed, NotFound
from meterai.ledger import CHART
from meterai.plumbing.db.database import ReadTx, Row
from tests.finance.conftest import Books


def sums(legs: Iterable[Row]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in legs:
        found[one["book"]] += one["amount"]
    return {book: amount for book, amount in found.items() if amount}


def closing_of(found: BookStatement) -> dict[str, int]:
    return {one.book: one.closing for one in found.balances if one.closing}


@pytest.fixture
def used_books(books: Books) -> Books:
    """Some weeks ago, yesterday and today."""
    for days in (40, 1, 0):
        books.lives()
        if days:
            books.ago(days)
    return books


@pytest.mark.parametrize("is_closed", [False, True])
def test_trial_balance_equals_sum_of_legs_with_and_without_closes(
    used_books: Books, is_closed: bool
) -> None:
    if is_closed:
        used_books.compared(used_books.day(1))
        used_books.close(used_books.day(2))
    for at in (begin_of(used_books.day(41)), begin_of(used_books.day(0)), datetime.now(UTC)):
        found = used_books.read(partial(reports.trial_balance, at=at))
        assert [one.book for one in found] == list(CHART)
        told = {one.book: one.closing for one in found if one.closing}
        assert told == sums(one for one in used_books.legs() if one["posted_at"] < at)
        for unit in ("IDR", "STAMP"):
            of_unit = [one for one in found if one.of.unit == unit]
            assert sum(one.on_debit for one in of_unit) == sum(one.on_credit for one in of_unit)


def statement(books: Books, scope: str, of: str, since: datetime | None = None) -> BookStatement:
    now = datetime.now(UTC) + timedelta(seconds=1)

    async def ask(tx: ReadTx) -> BookStatement:
        return await reports.statement(
            tx, await reports.asked(tx, scope, of, since, now), LINES_MAX
        )

    return books.read(ask)


@pytest.mark.parametrize("is_closed", [False, True])
@pytest.mark.parametrize("scope", ["account", "order", "day", "month"])
def test_statement_has_opening_entries_and_closing(
    used_books: Books, scope: str, is_closed: bool
) -> None:
    if is_closed:
        used_books.compared(used_books.day(1))
        used_books.close(used_books.day(2))
    order = used_books.shop.placed[-4]
    day = used_books.day(1)
    first, last = begin_of(day), begin_of(used_books.day(0))
    if scope == "month":
        month = Month.of(day)
        first, last = begin_of(month.first), begin_of(month.next.first)
    of = {
        "account": show("acc", used_books.shop.account),
        "order": show("ord", order),
        "day": str(day),
        "month": str(Month.of(day)),
    }[scope]
    if scope in ("account", "order"):
        last = datetime.now(UTC) + timedelta(seconds=1)
    found = statement(used_books, scope, of, first)
    legs = [one for one in used_books.legs() if scope != "order" or one["subject"] == order]
    assert closing_of(found) == sums(one for one in legs if one["posted_at"] < last)
    opening = {one.book: one.opening for one in found.balances if one.opening}
    assert opening == sums(one for one in legs if one["posted_at"] < first)
    within = [one for one in legs if first <= one["posted_at"] < last]
    assert within
    told = [(one.entry, one.book, one.amount) for one in found.lines]
    assert sorted(told) == sorted((one["entry_id"], one["book"], one["amount"]) for one in within)
    assert [one.at for one in found.lines] == sorted(one.at for one in found.lines)


def test_statements_of_providers_add_up_to_money_at_providers(used_books: Books) -> None:
    used_books.shop.arrange(
        "UPDATE payment_attempts SET provider = 'other' WHERE subject = %s",
        used_books.shop.placed[-1],
    )
    whole = sums(used_books.legs())["bank_clearing"]
    told = used_books.read(
        lambda tx: reports.providers(tx, begin_of(used_books.day(30)), datetime.now(UTC))
    )
    assert [one.provider for one in told] == ["bank", "other"]
    assert sum(one.closing for one in told) == -whole
    for one in told:
        moved = one.captured - one.given_back - one.charged_back - one.settled - one.fee - one.tax
        assert one.closing == one.opening + moved - one.other
        assert one.other == 0
        found = statement(used_books, "provider", one.provider)
        assert closing_of(found).get("bank_clearing", 0) == -one.closing
    [other] = [one for one in told if one.provider == "other"]
    assert (other.opening, other.captured, other.given_back) == (0, 10_500, 0)
    assert closing_of(statement(used_books, "provider", UNPLACED)) == {}


def test_ageing_lists_open_refunds_and_their_book(used_books: Books) -> None:
    now = datetime.now(UTC)
    used_books.shop.arrange(
        "UPDATE refunds SET requested_at = %s, due_at = %s WHERE state IN ('requested', 'sent', 'refused')",
        now - timedelta(days=5),
        now - timedelta(days=1),
    )
    found = used_books.read(lambda tx: reports.ageing(tx, now))
    open_ = used_books.shop.rows(
        "SELECT amount FROM refunds WHERE state IN ('requested', 'sent', 'refused')"
    )
    assert open_
    [row] = found.rows
    assert (row.number, row.rupiah) == (len(open_), sum(one["amount"] for one in open_))
    assert (row.provider, row.method, row.bucket, row.overdue) == ("bank", "qris", 2, len(open_))
    assert found.rupiah == found.payable == sums(used_books.legs())["refunds_payable"]


def test_tax_report_equals_statement_of_duty(used_books: Books) -> None:
    month = Month.of(used_books.today())
    end = begin_of(month.next.first)
    found = used_books.read(lambda tx: reports.taxes(tx, begin_of(month.first), end))
    told = {one.name: (one.stamps, one.rupiah) for one in found.figures}
    of_regulator = {
        one.name: (one.stamps, one.rupiah) for one in used_books.statement(month).figures
    }
    assert told == of_regulator
    assert found.closing == sums(used_books.legs())["duty_payable"]
    assert found.closing == found.opening + told["due"][1] - found.paid_out


@pytest.mark.parametrize(
    ("scope", "of", "refusal"),
    [
        ("account", "nobody@example.id", NotFound),
        ("order", "ord_nothing", NotFound),
        ("order", show("ord", NOBODY), NotFound),
        ("day", "2026-13-01", Malformed),
        ("month", "2026-13", NotFound),
        ("street", "here", Malformed),
    ],
)
def test_statement_of_unknown_subject_is_refused(
    books: Books, scope: str, of: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        statement(books, scope, of)


def test_truncated_statement_is_marked(used_books: Books) -> None:
    wish = StatementRequest(
        StatementScope.BOOKS, "", begin_of(used_books.day(50)), datetime.now(UTC)
    )
    found = used_books.read(lambda tx: reports.statement(tx, wish, 5))
    assert len(found.lines) == 5
    assert found.is_cut
