"""The timeline of the database, and its object store: are they the ones that belong together, and may the
database delete from the store?

The store carries the id that the database has (`MARKER`).  Beside it each pass that deletes puts a token of
its own, in the database first and in the store then.  A database that finds another token than its
last two was restored to an earlier point, or is not alone: it holds deletion, and says so in the store
(`CONTEST`), so that the other one holds it too, until an operator confirms.
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
CLAIM = "store-claim"  # and the token of the last pass, with who made it
CONTEST = "store-contested"  # and who found a token that was not its own
OBJECTS_OF_STORE = frozenset({MARKER, CLAIM, CONTEST})
# A write trusts the last look at the store so long: a folder that was mounted over is noticed so late.
LOOK_SECONDS = 10.0
# Around a promotion: between the bytes of an upload and its row lie seconds, and clocks differ.
SPARED_AROUND = timedelta(hours=1)
_UNREADABLE = UUID(int=0)  # the token of a claim that cannot be read: of nobody

_log = structlog.get_logger()


class Timeline:
    """Says whether this store is the database's, and whether the database may delete from it."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock
        self._looked_at = float("-inf")
        self._differs: StoreDiffers | None = None
        self._looking = asyncio.Lock()
        self.held: Hold | None = None  # as of the last look

    # -- which store -----------------------------------------------------------------------

    async def check_store(self) -> None:
        """Check that this object store is the one of the database; the first process marks both.
        Refuses `StoreDiffers`.
        """
        if await self._database.once(store.store_id) is None:
            # The store first: a crash between the two leaves a mark that the next start takes.
            with suppress(OSError):
                await self._objects.put_new(MARKER, new_id().hex.encode())
            found = await self._read()
            # A new database does not take a store that another one has claimed: an operator adopts it.
            if found.store is not None and found.token is None:
                await self._database.once(store.mark_store, found.store)
        await self.look()

    async def check_writable(self) -> None:
        """Refuses `StoreNotOurs` where what is written would lie in another store, and in a copy that nobody has
        confirmed: another database would find objects that no row of its names, and delete them.

        It costs a comparison, and every `LOOK_SECONDS` a look: three small files and one query.
        """
        if monotonic() - self._looked_at > LOOK_SECONDS:
            async with self._looking:
                if monotonic() - self._looked_at > LOOK_SECONDS:
                    with suppress(StoreDiffers):
                        await self.check_store()
        if self._differs:
            raise StoreNotOurs(str(self._differs))
        if self.held is Hold.RESTORED:
            raise StoreNotOurs("the database was restored, and no operator has confirmed")

    async def look(self) -> Hold | None:
        """Why nothing is deleted, None where it is.  Refuses `StoreDiffers`."""
        # The store first: what is claimed meanwhile is one claim ahead in the database, as it may be.
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
        """The same, while nobody of ours claims the store; kept where it holds."""

        async def act(tx: Tx) -> Hold | None:
            return await self._hold(tx, await store.locked_claim(tx), await self._read())

        return await self._database.run(act)

    async def _hold(self, tx: Tx, claim: StoreClaim, found: StoreSays) -> Hold | None:
        self._note(claim, found)
        held = hold_of(claim, found)
        if held is not None and held is not claim.held:
            _log.error("deletion_held", reason=held, store=found.told, contest=found.contest)
            with suppress(OSError):  # who may not write into the store does it no harm
                await self._objects.put_new(CONTEST, self._told(claim.here).encode())
            await store.hold(tx, held)
        return held

    # -- claimed -----------------------------------------------------------------------------

    async def advance(self) -> None:
        """Claim the store anew, before something is deleted from it.

        The database first: a crash between the two leaves the store one claim behind, and the next pass
        brings it up.  Refuses `DeletionHeld`, `StoreDiffers`.
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
        """Write a claim into the store, unless another process made a newer one since."""

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

    # -- by an operator ----------------------------------------------------------------------

    async def found(self) -> tuple[StoreClaim, StoreSays, int]:
        """The claim, the marks in the store, and the number of condemned objects."""
        said = await self._read()
        claim = await self._database.once(store.claim)
        return claim, said, await self._database.once(store.count_condemned)

    async def confirm(self, *, actor: Actor) -> None:
        """Let this database delete from its store again, as an operator.  Refuses `StoreDiffers`.

        Whatever was condemned has its grace period anew.
        """
        token = new_id()

        async def act(tx: Tx) -> None:
            claim, found = await store.locked_claim(tx), await self._read()
            self._note(claim, found)
            # Others of this database look meanwhile: they find what this one knows, and no contest.
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
        """Make this object store the one of the database, in place of one that is lost for good, as
        an operator.
        """
        marker, token = new_id(), new_id()
        # A crash after this leaves a store that is not the database's: it is adopted again.
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

    # -- what the store says -------------------------------------------------------------------

    async def _read(self) -> StoreSays:
        """Nothing where it has no mark, or not one of our key."""
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
