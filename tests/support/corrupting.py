"""Corruptions of an honest history, each with the invariants that it must break.

`CORRUPTIONS` of `tests/<room>/corruptions.py` are those of a room. SQL names objects of the history by
`%(name)s` (tests/support/history.py). It runs as the owner of the tables with foreign keys off, like the SQL of
an insider who hides a fraud. Checks of the schema that prevent it are dropped first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.by_room import modules

NIL = "'00000000-0000-0000-0000-000000000000'"
LEG = "INSERT INTO legs (account_id, entry_id, book, unit, debit, credit) VALUES "

# Invariants that corruptions of several rooms break.
ENTRIES = "entries_are_what_their_causes_make"
BOOKS = "books_of_an_order_are_what_happened_to_it"
BALANCES = "balances_are_the_sums_of_their_legs"
IN_THE_WORLD = "fee_is_of_stamps_in_the_world"
TIMES, TIMES_OF_NOBODY = "times_hide_no_work", "times_of_nobody_hide_no_work"
MARKS, MARKS_OF_NOBODY = "marks_have_their_evidence", "marks_of_nobody_have_their_evidence"
LATE = "work_is_done_in_time"


@dataclass(frozen=True, slots=True)
class Corruption:
    """One corruption: its SQL and the invariants that it must break. If no invariant sees it, `unseen` gives
    the reason."""

    name: str
    sql: str
    seen_by: frozenset[str]
    unseen: str = ""


def corruption(name: str, sql: str, *seen_by: str, unseen: str = "") -> Corruption:
    """A corruption of the history."""
    assert bool(seen_by) != bool(unseen), (
        f"{name}: either an invariant sees it or there is a reason"
    )
    return Corruption(name, sql, frozenset(seen_by), unseen)


def entry(reason: str, book_from: str, book_to: str, amount: int, subject: str) -> str:
    """SQL of a balanced entry with two legs. `subject` is SQL."""
    unit = "STAMP" if book_from.startswith("stamps_") else "IDR"
    return (
        "INSERT INTO entries (account_id, entry_id, reason, subject)"
        f" VALUES (%(account)s, 'made-up', '{reason}', {subject});"
        f"{LEG} (%(account)s, 'made-up', '{book_from}', '{unit}', {amount}, 0),"
        f" (%(account)s, 'made-up', '{book_to}', '{unit}', 0, {amount})"
    )


def corruptions() -> Sequence[Corruption]:
    """The corruptions of all rooms."""
    return [one for module in modules("corruptions") for one in module.CORRUPTIONS]
