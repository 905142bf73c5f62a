"""Stamps: make serials, look serials up, read balances, open or stop issuing."""

import asyncio
import time
from collections.abc import Collection, Sequence
from uuid import UUID

from meterai import ledger, trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial, SerialMaker
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.stamps import store
from meterai.stamps.model import Issuing, Lot, StampBalance, StampRecord

LEASE_SECONDS = 120.0  # longer than any pause of a living process


class NoLeaseFree(Refusal):
    """This process cannot make serials now, because other processes have leased all 1,023 process numbers."""

    code = "busy"
    status = 503
    retry_after_seconds = 5  # another process may end at any moment


class SerialService:
    """Makes serials.  Each contains a process number, which this process leases from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holder = new_id()
        self._lease: int | None = None
        self._maker: SerialMaker | None = None
        self._good_until = 0.0
        self._renewing = asyncio.Lock()

    async def serials(self, count: int) -> list[Serial]:
        """Make `count` new serials.  Refuses `NoLeaseFree`."""
        # The lease is checked by the clock of this process, and renewed well before it ends in the database: a process
        # that was frozen must not continue with a number that another process has leased meanwhile.
        if time.monotonic() > self._good_until:
            async with self._renewing:
                if time.monotonic() > self._good_until:
                    await self._take()
        assert self._maker is not None
        return [self._maker.make() for _ in range(count)]

    async def _take(self) -> None:
        begun = time.monotonic()
        if self._lease is not None:
            is_kept = await self._database.once(
                store.keep_lease, self._lease, self._holder, LEASE_SECONDS
            )
            if is_kept:
                self._good_until = begun + LEASE_SECONDS / 2
                return
        for _ in range(3):  # two processes may have chosen the same free number
            lease = await self._database.once(store.take_lease, self._holder, LEASE_SECONDS)
            if lease is not None:
                self._lease = lease
                self._maker = SerialMaker(lease)
                self._good_until = begun + LEASE_SECONDS / 2
                return
        raise NoLeaseFree("all process numbers are in use")


async def balance(tx: ReadTx, account: UUID) -> StampBalance:
    """The stamp balance of an account."""
    available, held = await ledger.balance(tx, account, "stamps_available")
    return StampBalance(available, held, await store.used(tx, account))


async def available(tx: ReadTx, account: UUID) -> int:
    """The number of free stamps of an account; runs one SQL statement."""
    return (await ledger.balance(tx, account, "stamps_available"))[0]


async def lots(tx: ReadTx, account: UUID, orders: Sequence[UUID]) -> dict[UUID, Lot]:
    """The lots (counts of the stamps issued for an order) of these orders, keyed by order id; an order without a lot has no
    entry.
    """
    return {lot.order: lot for lot in await store.lots(tx, account, orders)}


async def lot_and_issuing(tx: ReadTx, account: UUID, order: UUID) -> tuple[Lot | None, Issuing]:
    """Return the lot of an order (counts of its stamps), and the state of issuing.

    The lot is None if no stamps were issued for the order.
    """
    return await store.lot_and_issuing(tx, account, order)


async def serials_of(tx: ReadTx, account: UUID, stamping: UUID) -> list[Serial]:
    """Serials bound to a stamping, in the order of its placements."""
    return await store.serials_of(tx, account, stamping)


async def look_up(tx: ReadTx, serial: Serial) -> StampRecord | None:
    """The stamp record (account, stamping and state) of a serial; None if the serial was never issued."""
    account = await store.directory_entry(tx, serial.text)
    if account is not None:
        return await store.stamp(tx, account, serial.text)
    return await store.stamp_anywhere(tx, serial.text)


async def look_up_all(tx: ReadTx, serials: Collection[str]) -> dict[str, StampRecord]:
    """The stamp records (account, stamping and state) of issued serials, by serial; a serial that was never issued has no
    entry.

    Runs two statements if all serials are in the directory of serials, which maps them to accounts; else three.
    """
    owners = await store.directory_entries(tx, list(serials))
    found = dict(await store.stamps_of(tx, owners)) if owners else {}
    if others := [serial for serial in serials if serial not in owners]:
        found |= await store.stamps_anywhere(tx, others)
    return found


async def issuing(tx: ReadTx) -> Issuing:
    """The state of issuing stamps: open, or stopped with a reason."""
    return await store.issuing(tx)


async def set_issuing(tx: Tx, *, is_open: bool, reason: str, actor: Actor) -> None:
    """Open or stop the issuing of stamps, for an operator.

    During a stop, paid orders wait; if one is not executed by its due time, its money is refunded.

    Refuses `ReasonMissing` for a stop without a reason.
    """
    reason = reason if is_open else written_reason(reason)
    await store.set_issuing(tx, is_open=is_open, reason=reason)
    action = "issuing_opened" if is_open else "issuing_stopped"
    await trail.record(tx, NOBODY, actor=actor, action=action, subject="issuing", reason=reason)
