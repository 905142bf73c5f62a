"""Service of recoveries: automatic moves of the current one, and queries for pages."""

from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database, ReadTx
from meterai.recovery import steps
from meterai.recovery.model import RecoveryStatus


class RecoveryService:
    """Takes the current recovery from step to step, and shows it; each call is a separate transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def advance(self) -> int:
        """Periodic task: move an automatic recovery if its live numbers allow or require it.

        Returns 0, so that the next look waits for the regular interval.
        """
        await self._database.run(lambda tx: steps.move_automatically(tx, self._clock.now()))
        return 0

    async def status(self) -> RecoveryStatus:
        """Return the current recovery, or the last one if none is under way, with the moves that it made and the current live
        numbers.
        """

        async def ask(tx: ReadTx) -> RecoveryStatus:
            return await steps.status(tx, self._clock.now())

        async with self._database.reading() as tx:
            return await ask(tx)
