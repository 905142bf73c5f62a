"""Service of finance in a process: public key of closes, clock, metrics, and sums by channel."""

from datetime import datetime

from meterai.finance import metrics, store
from meterai.finance.closing import signer_of
from meterai.kit.clock import Clock
from meterai.kit.days import DAY, begin_of, last_settled
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.keyring import Keyring


class FinanceService:
    """Public key and clock for the pages of finance, and the periodic tasks of finance for the worker."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self.public_pem = signer_of(keyring).public_pem()
        self._database = database
        self._clock = clock

    def now(self) -> datetime:
        """Current time."""
        return self._clock.now()

    async def measure(self) -> int:
        """Periodic task: set the metrics."""
        async with self._database.reading() as tx:
            metrics.UNCLOSED.set(await days_to_close(tx, self.now()))
            if await store.last_close(tx):  # without a close, all entries would have to be summed
                metrics.DUTY.set(await store.book_now(tx, "duty_payable"))
        return 0

    async def count_channels(self) -> int:
        """Periodic task: add entries of the books to the sums by channel, one past day at a time; return 1 if entries of
        further past days are left to add.
        """
        return int(await self._database.run(store.count_channels))


async def days_to_close(tx: ReadTx, now: datetime) -> int:
    """Count the days that are over and not closed. If no day was ever closed, the count is 1 as soon as entries exist, else
    0.
    """
    last = await store.last_close(tx)
    if last is not None:
        return max((last_settled(now) - last.day).days, 0)
    return int(await store.has_entries(tx, begin_of(last_settled(now) + DAY)))
