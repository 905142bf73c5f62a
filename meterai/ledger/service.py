"""Queries of the ledger: money of orders, and balances of guarded books (books that never go below zero)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.ledger import store
from meterai.ledger.model import MoneyMove, MoneySummary
from meterai.plumbing.db.database import ReadTx

MOVES_MAX = 200  # movements on one page; each payment makes a few


async def money_summaries(
    tx: ReadTx, account: UUID, subjects: Sequence[UUID]
) -> dict[UUID, MoneySummary]:
    """Return the money summary of each of these orders of an account."""
    books: dict[UUID, dict[str, tuple[int, int]]] = {subject: {} for subject in subjects}
    captured_at: dict[UUID, datetime] = {}
    for one in await store.books_of_subjects(tx, account, list(subjects)):
        books[one.subject][one.book] = (one.debit, one.credit)
        if one.book == "bank_clearing":
            captured_at[one.subject] = one.last
    return {
        subject: MoneySummary.of(found, captured_at.get(subject))
        for subject, found in books.items()
    }


async def money_of_time(tx: ReadTx, begin: datetime, end: datetime) -> MoneySummary:
    """Return one summary of where the money of several orders is now: of all orders with a payment from `begin` to before
    `end`.
    """
    books = await store.books_of_time(tx, begin, end)
    return MoneySummary.of({one.book: (one.debit, one.credit) for one in books})


async def money_moves(tx: ReadTx, account: UUID, subject: UUID) -> list[MoneyMove]:
    """Return the newest `MOVES_MAX` movements of the money of one order, oldest first."""
    return await store.money_moves(tx, account, subject, MOVES_MAX)


async def balance(tx: ReadTx, account: UUID, book: str) -> tuple[int, int]:
    """Return (available amount, held amount) of a guarded book of an account, which is a book that never goes below zero."""
    found = await store.balance(tx, account, book)
    return (found.posted - found.held, found.held) if found else (0, 0)
