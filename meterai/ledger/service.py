"""The ledger, read: the money of orders, and the balance of a guarded book."""

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
    for row in await store.books_of_subjects(tx, account, list(subjects)):
        books[row["subject"]][row["book"]] = (row["debit"], row["credit"])
        if row["book"] == "bank_clearing":
            captured_at[row["subject"]] = row["last"]
    return {
        subject: MoneySummary.of(found, captured_at.get(subject))
        for subject, found in books.items()
    }


async def balance(tx: ReadTx, account: UUID, book: str) -> tuple[int, int]:
    """(available, held) of one guarded book."""
    row = await store.balance(tx, account, book)
    return (row["posted"] - row["held"], row["held"]) if row else (0, 0)
