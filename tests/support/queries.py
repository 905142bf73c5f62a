"""Read-only queries are enforced: in tests, PostgreSQL refuses every change in `Database.read`.

The product sends `Database.read` as a single statement, which costs one round trip. In the process of the tests
it runs inside a read-only transaction.
"""

from meterai.plumbing.db.database import Database, Row


async def _read(self: Database, query: str, *parameters: object) -> list[Row]:
    async with self.reading() as tx:
        return await tx.all(query, *parameters)


def hold() -> None:
    """Run every `Database.read` of this process in a read-only transaction."""
    setattr(Database, "read", _read)  # noqa: B010 - a method, on purpose
