"""Ledger: double entry in two units, rupiah and stamps.

Promises this room keeps
  * Entries are immutable, whole, balanced in each unit, and posted once per cause.
  * No guarded balance goes below zero, holds counted.
  * A hold is resolved exactly once.

The posting functions are plpgsql (sql/functions/), called by the functions of the rooms above within their
own transaction; this package reads the books and checks them.
"""

from meterai.ledger.chart import CHART, RUPIAH, STAMP, Book, BookKind
from meterai.ledger.duty import PAID_OUT, SOLD, DutyFigure, ReasonSum, Sums, figures_of
from meterai.ledger.invariants import explained
from meterai.ledger.model import NOTHING, BalanceTooLow, MoneyMove, MoneySummary
from meterai.ledger.service import balance, money_moves, money_of_time, money_summaries
from meterai.ledger.store import (
    LedgerEntry,
    entries_of,
    first_posted,
    next_entries,
    open_entries,
    sums_between,
)

__all__ = [
    "CHART",
    "NOTHING",
    "PAID_OUT",
    "RUPIAH",
    "SOLD",
    "STAMP",
    "BalanceTooLow",
    "Book",
    "BookKind",
    "DutyFigure",
    "LedgerEntry",
    "MoneyMove",
    "MoneySummary",
    "ReasonSum",
    "Sums",
    "balance",
    "entries_of",
    "explained",
    "figures_of",
    "first_posted",
    "money_moves",
    "money_of_time",
    "money_summaries",
    "next_entries",
    "open_entries",
    "sums_between",
]
