"""The chart of accounts and `docs/money.md`, against the posting rules and entries of the product."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from meterai import suspense
from meterai.ledger import CHART
from meterai.plumbing.messages import catalogue
from tests.finance.conftest import Books
from tests.support.audits import POSTINGS

TEXT = (Path(__file__).parents[2] / "docs" / "money.md").read_text()
UNIT_OF = Path(__file__).parents[2] / "meterai/ledger/sql/functions/unit_of.sql"


class Event(NamedTuple):
    """A row of the table of events with its books. Those in brackets appear only in some entries."""

    entry: str
    debit: frozenset[str]
    credit: frozenset[str]
    always: frozenset[tuple[str, bool]]


def rows(section: str) -> Iterator[list[str]]:
    part = TEXT.split(f"## {section}\n")[1].split("\n## ")[0]
    for line in part.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def events() -> dict[str, Event]:
    found = {}
    for reason, entry, debit, credit, _ in rows("Entries of each event"):
        left, right = (frozenset(re.findall(r"`(\w+)`", one)) for one in (debit, credit))
        always = frozenset(
            (book, is_credit)
            for is_credit, text in ((False, debit), (True, credit))
            for book in re.findall(r"(?<!\()`(\w+)`", text)
        )
        found[reason.strip("`")] = Event(entry.strip("`"), left, right, always)
    return found


def test_chart_matches_books_of_database_and_document(
    database_url: str,
) -> None:
    books = set(re.findall(r"'(\w+)'", UNIT_OF.read_text())) - {"IDR", "STAMP"}
    assert books == set(CHART)
    with psycopg.connect(database_url) as connection:
        for book in CHART.values():
            [unit] = connection.execute("SELECT unit_of(%s)", [book.name]).fetchone() or [None]
            assert unit == book.unit
            assert f"book.{book.name}" in catalogue()
    told = [tuple(cell.strip("`") for cell in row[:4]) for row in rows("Chart of accounts")]
    assert told == [
        (one.name, one.unit, one.kind, "debit" if one.is_debit else "credit")
        for one in CHART.values()
    ]


def test_events_of_posting_rules_are_documented_exactly() -> None:
    posted = {reason for posting in POSTINGS for reason in posting.reasons}
    assert events().keys() == posted
    for event in events().values():
        assert event.debit | event.credit <= CHART.keys()
        units = {CHART[book].unit for book in event.debit | event.credit}
        for unit in units:
            assert [one for one in event.debit if CHART[one].unit == unit]
            assert [one for one in event.credit if CHART[one].unit == unit]


@pytest.fixture
def used_books(books: Books) -> Books:
    """Every event that a shop alone can cause."""
    books.lives()
    shop = books.shop
    for undo in (shop.reverse, shop.win):
        order = shop.place(2)
        paid = shop.pay(order)
        shop.work()
        if undo == shop.reverse:
            shop.ask_back(order)
            refund = shop.refunds()[-1]
            shop.send(refund)
            shop.settle(refund)
            shop.reverse(refund)
        else:
            shop.charge_back(paid)
            shop.work()
            shop.win(paid)
        shop.work()
    stamping = shop.reserve(1)
    if stamping is not None:
        shop.deliver(stamping)
    for of, reason, rupiah, how in (
        ("bank", "fee_not_booked", -74, suspense.Resolution.FEE),
        ("bank", "tax_not_booked", -8, suspense.Resolution.FEE),
        ("bank", "settlement_not_booked", -10_418, suspense.Resolution.MATCHED),
        ("float", "float_moved", 5_000, suspense.Resolution.MATCHED),
        ("float", "fee_not_booked", -2_500, suspense.Resolution.FEE),
    ):
        found = suspense.Break(
            key=f"record:{of}:day:{reason}", reason=reason, evidence=b"{}", difference=rupiah
        )
        books.change(partial(suspense.book, found=found, resolution=how, how="as agreed"))
    return books


def test_entries_match_the_document(used_books: Books) -> None:
    known, seen = events(), set()
    entries: dict[str, list[tuple[str, bool]]] = {}
    for leg in used_books.legs():
        event = known[leg["reason"]]
        seen.add(leg["reason"])
        prefix, _, rest = event.entry.partition(":")
        assert leg["entry_id"].startswith(f"{prefix}:"), leg
        assert leg["entry_id"].count(":") == 1 + rest.count(":"), leg
        books = event.credit if leg["amount"] > 0 else event.debit
        assert leg["book"] in books, leg
        entries.setdefault(leg["entry_id"], []).append((leg["book"], leg["amount"] > 0))
        if len(entries[leg["entry_id"]]) == 1:
            entries[leg["entry_id"]].insert(0, (leg["reason"], False))
    for (reason, _), *legs in entries.values():
        assert known[reason].always <= set(legs), reason
    assert seen >= {
        "payment_captured",
        "stamps_issued",
        "stamps_affixed",
        "refund_requested",
        "refund_settled",
        "refund_reversed",
        "payment_denied",
        "loss_recovered",
        "chargeback_won",
        "break_fee",
        "break_matched",
    }
