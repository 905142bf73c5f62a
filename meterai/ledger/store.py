"""SQL of the ledger, one function for each statement."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.ledger.duty_figures import ReasonSum
from meterai.ledger.model import MoneyMove
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.rows import RowMapper


class BookOfSubject(NamedTuple):
    """Debits and credits in rupiah of one order in one book; `last` is the time of the newest entry."""

    subject: UUID
    book: str
    debit: int
    credit: int
    last: datetime


class LedgerEntry(NamedTuple):
    """One entry with its legs: the n-th amount belongs to the n-th book, and credits are positive."""

    account: UUID
    entry: str
    reason: str
    subject: UUID
    at: datetime
    books: list[str]
    amounts: list[int]


class BookOfTime(NamedTuple):
    """Total debits and credits in rupiah of many orders in one book."""

    book: str
    debit: int
    credit: int


class GuardedBalance(NamedTuple):
    """The posted amount of a guarded book (one that never goes below zero), and the part of this amount that is held."""

    posted: int
    held: int


_BOOK = RowMapper(BookOfSubject)
_SUMS = RowMapper(ReasonSum)
_ENTRIES = RowMapper(LedgerEntry)
_SUMS_BETWEEN = """
SELECT e.reason, l.book, count(*) AS entries, sum(l.credit - l.debit)::bigint AS amount
FROM entries e JOIN legs l USING (account_id, entry_id)
WHERE e.posted_at >= %s AND e.posted_at < %s GROUP BY e.reason, l.book ORDER BY e.reason, l.book
"""
_ENTRY = """
SELECT e.account_id AS account, e.entry_id AS entry, e.reason, e.subject, e.posted_at AS at,
       array_agg(l.book ORDER BY l.book) AS books,
       array_agg(l.credit - l.debit ORDER BY l.book) AS amounts
FROM entries e JOIN legs l USING (account_id, entry_id)
"""
_BY_TIME = " GROUP BY e.account_id, e.entry_id ORDER BY e.posted_at, e.account_id, e.entry_id"
# A day is read through one cursor: its rows are sorted once and are never all in memory.
_OPEN = f"DECLARE entries_of_a_time NO SCROLL CURSOR FOR {_ENTRY} WHERE e.posted_at >= %s AND e.posted_at < %s{_BY_TIME}"
_OF_SUBJECT = f"{_ENTRY} WHERE e.account_id = %s AND e.subject = %s{_BY_TIME} LIMIT %s"
_TIME = RowMapper(BookOfTime)
_MOVES = RowMapper(MoneyMove)
_BALANCE = RowMapper(GuardedBalance)


# Money that left the operator's accounts is shown under book names of its own. Compensation is not money of the order.
_FATE = """CASE WHEN e.reason IN ('compensation_due', 'compensation_paid', 'transfer_returned') THEN 'compensation'
    WHEN l.book NOT IN ('bank_clearing', 'refund_float') THEN l.book
    WHEN e.reason IN ('refund_settled', 'payment_given_back', 'refund_reversed') THEN 'refunded'
    WHEN e.reason IN ('payment_denied', 'chargeback_won') THEN 'charged_back' ELSE l.book END"""


async def books_of_subjects(tx: ReadTx, account: UUID, subjects: list[UUID]) -> list[BookOfSubject]:
    """Return the debits and credits of each of these orders in each book that has entries of it.

    Money that left the provider's account is in the books `refunded` and `charged_back`.
    """
    return await tx.all_as(
        _BOOK,
        f"SELECT e.subject, {_FATE} AS book,"  # noqa: S608 - a constant
        " sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit,"
        " max(e.posted_at) AS last"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = ANY(%s) AND l.unit = 'IDR' GROUP BY 1, 2",
        account,
        subjects,
    )


async def money_moves(tx: ReadTx, account: UUID, subject: UUID, limit: int) -> list[MoneyMove]:
    """Return the newest `limit` rupiah entries of one order, oldest first."""
    newest = await tx.all_as(
        _MOVES,
        "SELECT e.reason, e.posted_at AS at, sum(l.credit)::bigint AS amount, e.entry_id AS entry"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = %s AND l.unit = 'IDR'"
        " GROUP BY e.entry_id, e.reason, e.posted_at ORDER BY e.posted_at DESC, e.entry_id LIMIT %s",
        account,
        subject,
        limit,
    )
    return newest[::-1]


async def balance(tx: ReadTx, account: UUID, book: str) -> GuardedBalance | None:
    """Return the balance of a guarded book of an account; None if the account has no entries in it."""
    return await tx.one_as(
        _BALANCE,
        "SELECT posted, held FROM balances WHERE account_id = %s AND book = %s",
        account,
        book,
    )


async def sums_between(tx: ReadTx, begin: datetime, end: datetime) -> list[ReasonSum]:
    """Return the sums of the ledger entries of a period, by reason and book."""
    return await tx.all_as(_SUMS, _SUMS_BETWEEN, begin, end)


async def first_posted(tx: ReadTx) -> datetime | None:
    """Return the time of the first entry, None if there is none.

    The query reads every entry; it runs once in the life of an installation.
    """
    found: datetime | None = await tx.value("SELECT min(posted_at) FROM entries")
    return found


async def open_entries(tx: ReadTx, begin: datetime, end: datetime) -> None:
    """Open the cursor that `next_entries` reads, over the entries of a period."""
    await tx.tell(_OPEN, begin, end)


async def next_entries(tx: ReadTx, limit: int) -> list[LedgerEntry]:
    """Return up to `limit` further entries of the cursor that `open_entries` opened, oldest first; an empty list at the end."""
    return await tx.all_as(_ENTRIES, f"FETCH {limit:d} FROM entries_of_a_time")


async def entries_of(tx: ReadTx, account: UUID, subject: UUID, limit: int) -> list[LedgerEntry]:
    """Return up to `limit` ledger entries of an order, or of a stamping that was paid from the balance of stamps, oldest
    first.
    """
    return await tx.all_as(_ENTRIES, _OF_SUBJECT, account, subject, limit)


# Orders only: money in suspense belongs to no order.
_BOOKS_OF_TIME = f"""
WITH paid AS (
    SELECT DISTINCT e.account_id, e.subject FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.posted_at >= %s AND e.posted_at < %s AND l.book = 'bank_clearing' AND l.unit = 'IDR' AND l.debit > 0
        AND e.reason NOT IN ('refund_reversed', 'chargeback_won', 'money_suspended', 'deposit_returned',
            'credit_returned')
        AND e.reason !~ '^(suspense|break|fee)_')
SELECT {_FATE} AS book,
    sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
FROM paid JOIN entries e USING (account_id, subject) JOIN legs l USING (account_id, entry_id)
WHERE l.unit = 'IDR' GROUP BY 1
"""  # noqa: S608 - a constant


async def books_of_time(tx: ReadTx, begin: datetime, end: datetime) -> list[BookOfTime]:
    """Return the total debits and credits in each book of all orders with a payment in a period; uses the index by time."""
    return await tx.all_as(_TIME, _BOOKS_OF_TIME, begin, end)
