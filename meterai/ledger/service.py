"""Read the ledger: the money of orders, and the balance of a guarded book."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.ledger import store
from meterai.ledger.model import MoneySummary
from meterai.plumbing.database import ReadTx


async def money_summaries(
    tx: ReadTx, account: UUID, subjects: Sequence[UUID]
) -> dict[UUID, MoneySummary]:
    """Where every rupiah of each order is."""
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


async def balance(tx: ReadTx, account: UUID, book: str) -> tuple[int, int]:
    """(available, held) of one guarded book."""
    found = await store.balance(tx, account, book)
    return (found.posted - found.held, found.held) if found else (0, 0)
