"""Which rows were written since a moment, by the transactions that PostgreSQL writes into each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import look

# Transactions are compared by the 32 bits that a row knows; beyond half of them it is unclear which
# of two is older.
TOLD_APART_MAX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in the life of one database: every transaction before `transaction` had ended."""

    cluster: str
    database: int
    transaction: int

    @classmethod
    async def of_now(cls, database: Database) -> Self:
        """The mark of this moment.  A database that was restored from a dump is another database."""
        [row] = await look(database, _MARK)
        return cls(row["cluster"], row["database"], row["transaction"])

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """A mark from what a point keeps of it."""
        return cls(told["cluster"], told["database"], told["transaction"])

    def is_of(self, now: "Mark") -> bool:
        """True where rows of `now` can be told to be older or younger than this mark."""
        return (self.cluster, self.database) == (now.cluster, now.database) and (
            0 <= now.transaction - self.transaction < TOLD_APART_MAX
        )

    @property
    def xid(self) -> str:
        """The number of the transaction as rows have it (32 bits)."""
        return str(self.transaction % (1 << 32))


_MARK = """
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS cluster,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS transaction
"""
# A row that a transaction since the mark wrote, or that is so old that it only looks like one.
IS_YOUNG = "(age({row}.xmin) <= (SELECT age(%s::text::xid)))"
