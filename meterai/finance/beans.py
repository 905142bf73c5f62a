"""The books as a file for beancount (version 2 and 3): one transaction for each entry.

The file has the same bytes whenever the books are the same. A positive amount is a debit, as in beancount. The file begins with
the opening balance of each book and ends with the closing balance, which beancount compares with the transactions.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from meterai.finance.model import PeriodBalance
from meterai.kit.days import day_of
from meterai.ledger import CHART, Book, BookKind, LedgerEntry

_ROOTS = {
    BookKind.ASSET: "Assets",
    BookKind.LIABILITY: "Liabilities",
    BookKind.INCOME: "Income",
    BookKind.EXPENSE: "Expenses",
}


def account_of(book: Book) -> str:
    """Return the beancount name of a book: `Assets:Bank-Clearing`."""
    below = "-".join(word.capitalize() for word in book.name.split("_"))
    return f"{_ROOTS[book.kind]}:{below}"


_ACCOUNTS = {name: account_of(book) for name, book in CHART.items()}


def head(begin: date, opening: Sequence[PeriodBalance], by: str) -> str:
    """Return the head of the file: the accounts, and their opening balances before the day `begin`."""
    lines = [
        f'option "title" "{_quoted(by)}"',
        'option "operating_currency" "IDR"',
        *(f"{begin} open {_ACCOUNTS[name]} {book.unit}" for name, book in CHART.items()),
    ]
    held = [one for one in opening if one.opening]
    if held:
        lines += ["", f'{begin} * "opening balances"']
        lines += [_posting(one.book, one.opening) for one in held]
    return "\n".join(lines) + "\n"


def transactions(entries: Sequence[LedgerEntry]) -> Iterator[str]:
    """Yield each entry as a transaction."""
    for one in entries:
        legs = sorted(zip(one.books, one.amounts, strict=True))
        yield "\n".join(
            (
                "",
                f'{day_of(one.at)} * "{_quoted(one.reason)}" "{_quoted(one.entry)}"',
                f'  account: "{one.account}"',
                f'  subject: "{one.subject}"',
                f'  posted: "{one.at.isoformat()}"',
                *(_posting(book, amount) for book, amount in legs),
                "",
            )
        )


def foot(end: date, closing: Sequence[PeriodBalance]) -> str:
    """Return the foot of the file: each book's balance before the day `end`, which beancount compares with the entries."""
    there = {one.book: one for one in closing}
    lines = [
        f"{end} balance {_ACCOUNTS[name]}  {-there[name].closing if name in there else 0} {book.unit}"
        for name, book in CHART.items()
    ]
    return "\n" + "\n".join(lines) + "\n"


def _posting(book: str, amount: int) -> str:
    return f"  {_ACCOUNTS[book]}  {-amount} {CHART[book].unit}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
