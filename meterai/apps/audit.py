"""`meterai audit`: every invariant of every room, by name."""

from dataclasses import dataclass
from itertools import chain

from meterai.ledger.invariants import INVARIANTS as LEDGER
from meterai.orders.invariants import INVARIANTS as ORDERS
from meterai.payments.invariants import INVARIANTS as PAYMENTS
from meterai.plumbing.database import Database
from meterai.plumbing.invariants import Finding, Invariant, check
from meterai.refunds.invariants import INVARIANTS as REFUNDS
from meterai.stamping.invariants import INVARIANTS as STAMPING
from meterai.stamps.invariants import INVARIANTS as STAMPS

INVARIANTS: tuple[Invariant, ...] = tuple(
    chain(LEDGER, PAYMENTS, STAMPS, ORDERS, STAMPING, REFUNDS)
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found."""

    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """True where every promise holds."""
        return all(finding.holds for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """For machines: every invariant, how many rows break it, and some of them."""
        return {
            "holds": self.holds,
            "invariants": [
                {
                    "name": finding.invariant.name,
                    "promise": " ".join(finding.invariant.promise.split()),
                    "broken": finding.broken,
                    "evidence": [
                        {name: str(value) for name, value in row.items()}
                        for row in finding.evidence
                    ],
                }
                for finding in self.findings
            ],
        }


async def audit(database: Database) -> Audit:
    """Check every invariant against one moment of the database."""
    async with database.transaction() as tx:
        # One snapshot for all: money that moves between two queries must not look lost.
        await tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await tx.allow(600)
        return Audit(tuple([await check(tx, one) for one in INVARIANTS]))
