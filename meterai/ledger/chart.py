"""Chart of accounts: every book, its kind and its normal side; pure. The message `book.<name>` describes a book.

The amount of a leg is stored as credit less debit. `docs/money.md` shows the entries of each event.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

RUPIAH, STAMP = "IDR", "STAMP"


class BookKind(StrEnum):
    """Kind of a book, by which reports are ordered."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


class Book(NamedTuple):
    """One book of the chart of accounts."""

    name: str
    kind: BookKind
    unit: str = RUPIAH

    @property
    def is_debit(self) -> bool:
        """True if debits increase the balance of the book."""
        return self.kind in (BookKind.ASSET, BookKind.EXPENSE)


_A, _L, _I, _E = BookKind
# Stamps are booked like rupiah: the outstanding stamps equal those that holders own plus those on documents.
CHART: Mapping[str, Book] = {
    one.name: one
    for one in (
        Book("bank_clearing", _A),
        Book("bank_account", _A),
        Book("refund_float", _A),
        Book("collectors_due", _A),
        Book("fees_owed", _A),
        Book("buyer_funds", _L),
        Book("refunds_payable", _L),
        Book("deposits", _L),
        Book("suspense", _L),
        Book("duty_payable", _L),
        Book("service_fee", _I),
        Book("denied_loss", _E),
        Book("provider_fee", _E),
        Book("provider_tax", _E),
        Book("compensation", _E),
        Book("written_off", _E),
        Book("stamps_issued", _A, STAMP),
        Book("stamps_available", _L, STAMP),
        Book("stamps_ordered", _L, STAMP),
        Book("stamps_affixed", _I, STAMP),
    )
}
