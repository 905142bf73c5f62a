"""An invariant: a promise and the query that finds every row that breaks it."""

from dataclasses import dataclass

from meterai.plumbing.database import Row, Tx

SHOWN_MAX = 20  # rows of evidence kept per broken invariant


@dataclass(frozen=True, slots=True)
class Invariant:
    """A name, the promise in one sentence, and a query that must find nothing."""

    name: str
    promise: str
    query: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What checking one invariant found: the broken rows, none where it holds."""

    invariant: Invariant
    broken: int
    evidence: list[Row]

    @property
    def holds(self) -> bool:
        """True where nothing breaks the promise."""
        return self.broken == 0


async def check(tx: Tx, invariant: Invariant) -> Finding:
    """Run the query of one invariant."""
    rows = await tx.all(invariant.query)
    return Finding(invariant, len(rows), rows[:SHOWN_MAX])
