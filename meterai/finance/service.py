"""Finance in a process: its key, its clock, its metrics, and lines in which providers settle."""

from datetime import datetime

from meterai.finance import metrics, store
from meterai.finance.closing import signer_of
from meterai.finance.model import Settlement, SettlementDiffers
from meterai.kit.clock import Clock
from meterai.kit.days import DAY, begin_of, last_settled
from meterai.kit.ids import new_id
from meterai.plumbing.database import Database, ReadTx, Tx
from meterai.plumbing.keyring import Keyring


class FinanceService:
    """Parts that the pages and the worker need beside the database."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self.public_pem = signer_of(keyring).public_pem()
        self._database = database
        self._clock = clock

    def now(self) -> datetime:
        """The present moment."""
        return self._clock.now()

    async def measure(self) -> int:
        """Set the metrics."""
        async with self._database.reading() as tx:
            metrics.UNCLOSED.set(await days_to_close(tx, self.now()))
            if await store.last_close(tx):  # from there on, not from the first entry
                metrics.DUTY.set(await store.book_now(tx, "duty_payable"))
        return 0


async def days_to_close(tx: ReadTx, now: datetime) -> int:
    """How many days are over and not closed; without a close one, as soon as there are entries."""
    last = await store.last_close(tx)
    if last is not None:
        return max((last_settled(now) - last.day).days, 0)
    return int(await store.has_entries(tx, begin_of(last_settled(now) + DAY)))


async def book_settlement(tx: Tx, told: Settlement) -> bool:
    """Book a line in which a provider pays into our account, less its fee and the tax on that; False where it is booked.

    Each amount may be nothing, but not all of them: some records have fees in lines of their own.  Refuses
    `SettlementDiffers` where the line is booked with other amounts.
    """
    if await store.book_settlement(tx, new_id(), told):
        return True
    if await store.booked(tx, told.provider, told.line) != told:
        raise SettlementDiffers(f"{told.provider} {told.line}")
    return False
