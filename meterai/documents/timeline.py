"""Checks that the database and its object store belong together, and that the database may delete from the store.

Both the database and the store (object `MARKER`) have the id of the store.  Each pass that deletes also writes a new token,
first into the database and then into the store (object `CLAIM`).  If a database finds a token in the store that is not one of
its own last two, then either it was restored to an earlier point, or another database uses the same store.  The database then
holds deletion, and writes the object `CONTEST` into the store, so that the other database holds deletion too.  Both wait until
an operator confirms.
"""

import asyncio
import json
import socket
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from uuid import UUID

import structlog

from meterai import trail
from meterai.accounts import NOBODY
from meterai.documents import store
from meterai.documents.metrics import HELD
from meterai.documents.model import (
    DeletionHeld,
    Hold,
    Lineage,
    StoreClaim,
    StoreNotOurs,
    StoreSays,
    hold_of,
)
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.objects import ObjectStore, ObjectUnreadable, StoreDiffers

MARKER = "store-marker"  # the object that holds the id of the store
CLAIM = "store-claim"  # the token of the last pass, and its author
CONTEST = "store-contested"  # the database that found a token which it had not written
OBJECTS_OF_STORE = frozenset({MARKER, CLAIM, CONTEST})
# Writes rely on the last check of the store for this time: within it another folder, mounted in place of the store, may
# stay unnoticed.
LOOK_SECONDS = 10.0
# Time before and after a promotion: an upload has its row seconds after its bytes, and clocks differ.
SPARED_AROUND = timedelta(hours=1)
_UNREADABLE = UUID(int=0)  # token of an unreadable claim, which belongs to nobody

_log = structlog.get_logger()


class Timeline:
    """Checks that the object store belongs to the database, and that the database may delete from it."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock
        self._looked_at = float("-inf")
        self._differs: StoreDiffers | None = None
        self._looking = asyncio.Lock()
        self.held: Hold | None = None  # result of the last check

    # -- which store -----------------------------------------------------------------------

    async def check_store(self) -> None:
        """Check that this object store belongs to the database.

        A new database takes this store, unless another database has claimed the store.  Refuses `StoreDiffers`.
        """
        if await self._database.once(store.store_id) is None:
            # The store is marked first: after a crash between the two steps the next start uses its mark.
            with suppress(OSError):
                await self._objects.put_new(MARKER, new_id().hex.encode())
            found = await self._read()
            # A new database does not take a store that another database has claimed; only an operator may do so.
            if found.store is not None and found.token is None:
                await self._database.once(store.mark_store, found.store)
        await self.look()

    async def check_writable(self) -> None:
        """Check that objects may be written: the store belongs to this database, which is not an unconfirmed copy.

        If the store belonged to another database, that database would find objects to which none of its rows refers, and delete
        them.  The store is checked every `LOOK_SECONDS`, with three small files and a query.  Refuses `StoreNotOurs`.
        """
        if monotonic() - self._looked_at > LOOK_SECONDS:
            async with self._looking:
                if monotonic() - self._looked_at > LOOK_SECONDS:
                    with suppress(StoreDiffers):
                        await self.check_store()
        if self._differs:
            raise StoreNotOurs(str(self._differs))
        if self.held is Hold.RESTORED:
            raise StoreNotOurs("the database was restored, and no operator has confirmed it")

    async def look(self) -> Hold | None:
        """Check the store; return the reason why deletion is held, or None if it is allowed.  Refuses `StoreDiffers`."""
        # The store is read first: a concurrent claim can then only make the database one ahead, which is allowed.
        found = await self._read()
        claim = await self._database.once(store.claim)
        self._note(claim, found)
        held = hold_of(claim, found)
        if held is not None and held is not claim.held:
            held = await self._settle()
        self._set_held(held)
        return held

    def _note(self, claim: StoreClaim, found: StoreSays) -> None:
        is_ours = claim.store is not None and claim.store == found.store
        self._differs = None if is_ours else StoreDiffers(self._objects.place)
        self._looked_at = monotonic()
        if self._differs:
            raise self._differs

    def _set_held(self, held: Hold | None) -> None:
        self.held = held
        for reason in Hold:
            HELD.labels(reason=reason).set(reason == held)

    async def _settle(self) -> Hold | None:
        """Check the store again, and record that deletion is held if the check finds a reason; return the reason.

        The claim is locked, so that no other process of this database can claim the store meanwhile.
        """

        async def act(tx: Tx) -> Hold | None:
            return await self._hold(tx, await store.locked_claim(tx), await self._read())

        return await self._database.run(act)

    async def _hold(self, tx: Tx, claim: StoreClaim, found: StoreSays) -> Hold | None:
        self._note(claim, found)
        held = hold_of(claim, found)
        if held is not None and held is not claim.held:
            _log.error("deletion_held", reason=held, store=found.told, contest=found.contest)
            with suppress(OSError):  # a process that cannot write into the store does no harm
                await self._objects.put_new(CONTEST, self._told(claim.here).encode())
            await store.hold(tx, held)
        return held

    # -- claims ------------------------------------------------------------------------------

    async def advance(self) -> None:
        """Claim the store again, before objects are deleted from it.

        The claim is written into the database first, and then into the store.  After a crash in between, the store is one claim
        behind; the next pass repairs that.  Refuses `DeletionHeld`, `StoreDiffers`.
        """
        token = new_id()

        async def act(tx: Tx) -> Hold | None:
            claim, found = await store.locked_claim(tx), await self._read()
            held = await self._hold(tx, claim, found)
            if held is None and claim.token != found.token and claim.token is not None:
                await self._write_claim(claim.token, claim.here)
            elif held is None:
                await store.advance(tx, token, claim.here, SPARED_AROUND)
            return held

        held = await self._database.run(act)
        self._set_held(held)
        if held is not None:
            raise DeletionHeld(held)
        await self._bring_up(token)

    async def _bring_up(self, token: UUID) -> None:
        """Write the claim with this token into the store, unless another process has made a newer claim."""

        async def act(tx: Tx) -> None:
            claim = await store.locked_claim(tx)
            if claim.token == token:
                await self._write_claim(token, claim.here)

        await self._database.run(act)

    async def _write_claim(self, token: UUID, here: Lineage) -> None:
        await self._objects.put(CLAIM, f"{token.hex} {self._told(here)}".encode())

    def _told(self, here: Lineage) -> str:
        at = self._clock.now().isoformat(timespec="seconds")
        return json.dumps(here._asdict() | {"host": socket.gethostname(), "at": at})

    # -- actions of an operator --------------------------------------------------------------

    async def found(self) -> tuple[StoreClaim, StoreSays, int]:
        """Return the database's claim, the values in the store, and the number of condemned objects."""
        said = await self._read()
        claim = await self._database.once(store.claim)
        return claim, said, await self._database.once(store.count_condemned)

    async def confirm(self, *, actor: Actor) -> None:
        """End a hold, since an operator confirms that only this database uses the store.  Refuses `StoreDiffers`.

        The grace period of each condemned object begins again.
        """
        token = new_id()

        async def act(tx: Tx) -> None:
            claim, found = await store.locked_claim(tx), await self._read()
            self._note(claim, found)
            # The contest is removed first, so that other processes of this database that check meanwhile do not find it.
            await self._objects.remove(CONTEST, self._clock.now() + timedelta(minutes=1))
            await store.confirm(tx, token, found.token, claim.here, self._clock.now())
            await trail.record(
                tx,
                NOBODY,
                actor=actor,
                action="object_store_confirmed",
                subject="object_store",
                held=str(claim.held or ""),
                store=found.told,
                contest=found.contest,
            )

        await self._database.run(act)
        await self._bring_up(token)
        self._set_held(None)

    async def adopt_store(self, *, actor: Actor) -> None:
        """Let this object store belong to the database, since an operator says that the database's old store is lost."""
        marker, token = new_id(), new_id()
        # A crash after this step leaves a store that does not belong to the database; the command is then repeated.
        await self._objects.put(MARKER, marker.hex.encode())

        async def adopt(tx: Tx) -> None:
            await store.adopt_store(tx, marker)
            here, found = (await store.locked_claim(tx)).here, await self._read()
            await store.confirm(tx, token, found.token, here, self._clock.now())
            await trail.record(
                tx,
                NOBODY,
                actor=actor,
                action="object_store_adopted",
                subject="object_store",
                place=self._objects.place,
            )

        await self._database.run(adopt)
        await self._bring_up(token)

    # -- marks in the store --------------------------------------------------------------------

    async def _read(self) -> StoreSays:
        """Return the id, the claim and the objection in the store.

        A missing value is empty.  An unreadable claim counts as that of another database; if another value cannot be read,
        all values are empty.
        """
        try:
            marker, claim, contest = await asyncio.gather(
                self._objects.get(MARKER), self._claim(), self._objects.get(CONTEST)
            )
            token, _, told = claim.partition(" ")
            return StoreSays(
                UUID(marker.decode()) if marker else None,
                UUID(token) if token else None,
                told,
                contest.decode() if contest else "",
            )
        except (ObjectUnreadable, OSError, ValueError):
            return StoreSays(None, None, "", "")

    async def _claim(self) -> str:
        try:
            return (await self._objects.get(CLAIM) or b"").decode()
        except ObjectUnreadable:
            return _UNREADABLE.hex
