"""Queries of the ledger."""

from uuid import UUID

from meterai.ledger import store
from meterai.ledger.model import Position
from meterai.plumbing.database import Tx


async def position(tx: Tx, account: UUID, subject: UUID) -> Position:
    """Where every rupiah of one order is."""
    rows = await store.books_of_subject(tx, account, subject)
    return Position.of({row["book"]: (row["debit"], row["credit"]) for row in rows})


async def balance(tx: Tx, account: UUID, book: str) -> tuple[int, int]:
    """(available, held) of one guarded book."""
    row = await store.balance(tx, account, book)
    return (row["posted"] - row["held"], row["held"]) if row else (0, 0)
