"""SQL of the ledger, one function per question."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.ledger.model import MoneyMove
from meterai.plumbing.database import ReadTx
from meterai.plumbing.rows import RowMapper


class BookOfSubject(NamedTuple):
    """Sums in rupiah over the entries of one order in one book; `last` is the newest entry."""

    subject: UUID
    book: str
    debit: int
    credit: int
    last: datetime


class GuardedBalance(NamedTuple):
    """What is posted in a guarded book, and how much of it is held."""

    posted: int
    held: int


_BOOK = RowMapper(BookOfSubject)
_MOVES = RowMapper(MoneyMove)
_BALANCE = RowMapper(GuardedBalance)


async def books_of_subjects(tx: ReadTx, account: UUID, subjects: list[UUID]) -> list[BookOfSubject]:
    """The books that entries of orders are in.

    What left the provider's account has names of its own: 'refunded' and 'charged_back'.
    """
    return await tx.all_as(
        _BOOK,
        "SELECT e.subject, CASE WHEN l.book <> 'bank_clearing' THEN l.book"
        "  WHEN e.reason IN ('refund_settled', 'payment_given_back', 'refund_reversed') THEN 'refunded'"
        "  WHEN e.reason IN ('payment_denied', 'chargeback_won') THEN 'charged_back' ELSE l.book END AS book,"
        " sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit,"
        " max(e.posted_at) AS last"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = ANY(%s) AND l.unit = 'IDR' GROUP BY 1, 2",
        account,
        subjects,
    )


async def money_moves(tx: ReadTx, account: UUID, subject: UUID, limit: int) -> list[MoneyMove]:
    """The entries of one order in rupiah, the first in front; the newest of very many."""
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
    """One guarded book."""
    return await tx.one_as(
        _BALANCE,
        "SELECT posted, held FROM balances WHERE account_id = %s AND book = %s",
        account,
        book,
    )
