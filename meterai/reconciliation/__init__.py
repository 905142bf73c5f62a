"""Reconciliation: comparison of records of providers and banks with payments, refunds and books, line by line.

Promises this room keeps
  * The record of each finished day, from the history of its rail or from files, is compared automatically, and again later,
    since a record may change.  If a record is missing at the configured hour, an item in suspense is opened for a person.
  * A line that cannot be read is a separate break, and all other lines are still read; a file is read to its end, or refused as
    a whole.
  * Each difference is an item in suspense, with its money, its evidence and its resolutions; a later record without the
    difference resolves it.  A day is final once it is complete and each of its differences is an item.
  * An item with money cannot be dismissed: it is matched, applied, returned, booked as a fee, or written off by two people.

The room calls payments, refunds, suspense, ledger, trail.
"""

from meterai.reconciliation.file_store import object_names
from meterai.reconciliation.files import FileUnreadable
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
