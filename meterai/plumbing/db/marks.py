"""Selection of the rows written since a moment, by the transaction id that PostgreSQL stores in each row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import look

# A row stores 32 bits of its transaction id. If two ids differ by more than half of that range, it is unclear which is
# older.
TOLD_APART_MAX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in the history of one database: every transaction before `transaction` had ended."""

    cluster: str
    database: int
    transaction: int

    @classmethod
    async def of_now(cls, database: Database) -> Self:
        """Return the mark of this moment. A database restored from a dump counts as another database."""
        [row] = await look(database, _MARK)
        return cls(row["cluster"], row["database"], row["transaction"])

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return a mark, given in the form in which an audit point stores it."""
        return cls(told["cluster"], told["database"], told["transaction"])

    def is_of(self, now: "Mark") -> bool:
        """True if rows at the moment `now` can be compared with this mark: same database, not too many transactions later."""
        return (self.cluster, self.database) == (now.cluster, now.database) and (
            0 <= now.transaction - self.transaction < TOLD_APART_MAX
        )

    @property
    def xid(self) -> str:
        """The transaction id as rows store it (32 bits), in decimal digits."""
        return str(self.transaction % (1 << 32))


_MARK = """
SELECT (SELECT system_identifier::text FROM pg_control_system()) AS cluster,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS transaction
"""
# SQL condition for a row written by a transaction since the mark, or so old that it only looks like one.
IS_YOUNG = "(age({row}.xmin) <= (SELECT age(%s::text::xid)))"
