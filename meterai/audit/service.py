"""Write down an act; take a night to be compared with the bank, and keep what came of it.

Who compares is above (`apps/bank_night.py`).
"""

from datetime import date, datetime
from uuid import UUID

from meterai.audit import metrics, store
from meterai.audit.model import Night, NightResult
from meterai.kit.actor import Actor
from meterai.plumbing.database import Database, Tx, jsonb
from meterai.plumbing.exchange import EXCHANGE

FAULT_LENGTH_MAX = 60  # characters: a code, or the name of a fault

# Not by `audit_record`: stamps must be stopped at any version of the schema.
_RECORD = """
INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES (%s, %s, %s, %s, %s)
"""


async def record(
    tx: Tx, account: UUID, *, actor: Actor, action: str, subject: str, **facts: object
) -> None:
    """Write down that `actor` did `action` to `subject`, in the transaction that does it, with the id of the
    request that is being answered."""
    await tx.run(_RECORD, account, str(actor), action, subject, jsonb(with_request(facts)))


def with_request(facts: dict[str, object]) -> dict[str, object]:
    """Facts of a line with the id of the request that is being answered, where one is."""
    exchange = EXCHANGE.get()
    return facts if exchange is None else {**facts, "request": exchange.id}


class Nights:
    """A night that one worker compares, and its result."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, night: date, *, at_least: datetime, at_most: datetime, seconds: float, is_hour: bool
    ) -> Night | None:
        """Take a night that nobody has compared and no other worker is comparing; None where there is none.

        The time compared begins at `at_least` or earlier, and not before `at_most`.  The very first
        night begins only while it `is_hour`.  A crash leaves a lease of so many seconds.
        """
        return await self._database.once(
            store.begin_night, night, at_least, at_most, seconds, is_hour=is_hour
        )

    async def ended(
        self,
        tx: Tx,
        night: Night,
        at: datetime,
        *,
        payments: int,
        differences: int,
        unreadable: int,
    ) -> None:
        """Both records were compared."""
        await store.end_night(tx, night.night, at, payments, differences, unreadable)

    async def failed(self, tx: Tx, night: Night, fault: str) -> None:
        """They could not be compared; it is tried again once the lease has run out."""
        await store.fail_night(tx, night.night, fault[:FAULT_LENGTH_MAX])

    async def last(self) -> NightResult | None:
        """The result of the last night that was begun."""
        return await self._database.once(store.last_night)

    async def show(self, now: datetime) -> None:
        """Set the metrics."""
        if found := await self.last():
            metrics.COMPARED.set(found.age_seconds(now))
            metrics.DIFFERENCES.set(found.differences)
