"""The books in beancount, a program of a third party that reads and balances them."""

from collections import Counter
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data

from meterai.finance import beans
from meterai.kit.days import begin_of
from meterai.ledger import CHART
from tests.finance.conftest import Books
from tests.support.commands import run_here


@pytest.fixture
def folder(books: Books, database_url: str, tmp_path: Path) -> Path:
    for days in (40, 1, 0):
        books.lives()
        if days:
            books.ago(days)
    return tmp_path


def write(books: Books, folder: Path, url: str, name: str, first: int = 1) -> Path:
    path = folder / name
    done = run_here(
        folder,
        "finance",
        "ledger",
        "--from",
        str(books.day(first)),
        "--to",
        str(books.day(-1)),
        "--out",
        str(path),
        DATABASE_URL=url,
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("first", [1, 100], ids=["with opening balances", "from the beginning"])
def test_beancount_balances_the_books(
    books: Books, folder: Path, database_url: str, first: int
) -> None:
    path = write(books, folder, database_url, "books.beancount", first)
    found, errors, _ = loader.load_file(str(path))
    assert errors == []
    names = {beans.account_of(book): name for name, book in CHART.items()}
    held: Counter[str] = Counter()
    transactions = [one for one in found if isinstance(one, data.Transaction)]
    for one in transactions:
        for posting in one.postings:
            assert posting.units is not None
            held[names[posting.account]] -= int(posting.units.number or 0)
    legs = books.legs()
    due: Counter[str] = Counter()
    for leg in legs:
        due[leg["book"]] += leg["amount"]
    assert {book: amount for book, amount in held.items() if amount} == {
        book: amount for book, amount in due.items() if amount
    }
    of_time = {leg["entry_id"] for leg in legs if leg["posted_at"] >= begin_of(books.day(first))}
    assert len(transactions) == len(of_time) + (first == 1)


def test_same_books_make_same_bytes_and_changed_amount_fails(
    books: Books, folder: Path, database_url: str
) -> None:
    one = write(books, folder, database_url, "one.beancount").read_text()
    assert write(books, folder, database_url, "two.beancount").read_text() == one
    spoilt = one.replace("Assets:Bank-Clearing  ", "Assets:Bank-Clearing  1", 1)
    assert loader.load_string(spoilt)[1]
