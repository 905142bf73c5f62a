"""Reconciliation: records of providers and banks beside payments, refunds and books, line by line.

Promises this room keeps
  * The record of each day that is over is compared once by itself, by the history of its rail or by files, and again
    later, since a record may change its mind; one that is not there by its hour is an item that a person sees.
  * A line that cannot be read is a break of its own and stops no other; a file is read to its end or not taken in.
  * Each difference is an item in suspense, with its money, its evidence and a way out; it ends by itself where a
    later record has none any more.  A day is final once it is complete and each of its differences is an item.
  * Nothing is dismissed that is money: it is matched, applied, returned, booked as a fee, or written off by two people.

Calls payments, refunds, suspense, ledger, trail.
"""

from meterai.reconciliation.files import FileUnreadable
from meterai.reconciliation.keeping import object_names
from meterai.reconciliation.looking import DAYS, check_bank
from meterai.reconciliation.model import ACCOUNT, RecordDay
from meterai.reconciliation.service import Reconciliation
from meterai.reconciliation.settings import ReconciliationSettings
from meterai.reconciliation.store import not_final

__all__ = [
    "ACCOUNT",
    "DAYS",
    "FileUnreadable",
    "Reconciliation",
    "ReconciliationSettings",
    "RecordDay",
    "check_bank",
    "not_final",
    "object_names",
]
