"""Ledger: double entry in two units, rupiah and stamps.

Promises of this room
  * Entries are immutable, complete, balanced in each unit, and posted once per cause.
  * The balance of a guarded book less its holds never goes below zero.
  * A hold is resolved exactly once.

The posting functions are plpgsql (sql/functions/). The SQL functions of the rooms above call them within their own
transaction; this package reads the books and checks them.
"""

from meterai.ledger.chart import CHART, RUPIAH, STAMP, Book, BookKind
from meterai.ledger.duty_figures import PAID_OUT, SOLD, DutyFigure, ReasonSum, Sums, figures_of
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
