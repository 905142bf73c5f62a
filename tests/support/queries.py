"""Queries that only read are held to it: in tests each of them runs where PostgreSQL refuses a change.

The product sends `Database.read` as one statement of its own, which costs one round trip; in the
process of the tests it runs inside a transaction that may only read.
"""

from meterai.plumbing.db.database import Database, Row


async def _read(self: Database, query: str, *parameters: object) -> list[Row]:
    async with self.reading() as tx:
        return await tx.all(query, *parameters)


def hold() -> None:
    """Hold every `Database.read` of this process to what it says."""
    setattr(Database, "read", _read)  # noqa: B010 - a method, on purpose
