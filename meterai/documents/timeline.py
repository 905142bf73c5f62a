"""Timeline of the database and its object store: whether they belong together, and whether the
database may delete from the store.

The store has the id of the database's store (`MARKER`).  Each pass that deletes also writes a token of
its own, first in the database and then in the store.  A database that finds another token than its
last two was restored to an earlier point, or is not alone: it holds deletion, and writes that into the store
(`CONTEST`), so that the other one holds deletion too, until an operator confirms.
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
CONTEST = "store-contested"  # the database that found a token that was not its own
OBJECTS_OF_STORE = frozenset({MARKER, CLAIM, CONTEST})
# A write relies on the last check of the store for this time: the longest delay to notice a folder mounted over it.
LOOK_SECONDS = 10.0
# Around a promotion: an upload has its row seconds after its bytes, and clocks differ.
SPARED_AROUND = timedelta(hours=1)
_UNREADABLE = UUID(int=0)  # token of an unreadable claim, which belongs to nobody

_log = structlog.get_logger()


class Timeline:
    """Checks that this store is the database's, and that the database may delete from it."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock
        self._looked_at = float("-inf")
        self._differs: StoreDiffers | None = None
        self._looking = asyncio.Lock()
        self.held: Hold | None = None  # by the last check

    # -- which store -----------------------------------------------------------------------

    async def check_store(self) -> None:
        """Check that this object store is the one of the database; the first process marks both.
        Refuses `StoreDiffers`.
        """
        if await self._database.once(store.store_id) is None:
            # The store first: a crash between the two leaves a mark that the next start adopts.
            with suppress(OSError):
                await self._objects.put_new(MARKER, new_id().hex.encode())
            found = await self._read()
            # A new database does not adopt a store that another one has claimed; an operator does.
            if found.store is not None and found.token is None:
                await self._database.once(store.mark_store, found.store)
        await self.look()

    async def check_writable(self) -> None:
        """Refuse `StoreNotOurs` if a write would go to another store, or in an unconfirmed copy of the database.

        The other database would find objects that none of its rows names, and delete them.
        Costs a comparison, and every `LOOK_SECONDS` a check: three small files and one query.
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
        """Return why nothing is deleted, None if deletion is allowed.  Refuses `StoreDiffers`."""
        # The store first: a concurrent claim is then one ahead in the database, which is allowed.
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
        """Check again, while no other process of ours claims the store; record a hold."""

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
        """Claim the store again, before something is deleted from it.

        The database first: a crash between the two leaves the store one claim behind, and the next pass
        repairs it.  Refuses `DeletionHeld`, `StoreDiffers`.
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

    # -- acts of an operator -----------------------------------------------------------------

    async def found(self) -> tuple[StoreClaim, StoreSays, int]:
        """Return the claim, the marks in the store, and the number of condemned objects."""
        said = await self._read()
        claim = await self._database.once(store.claim)
        return claim, said, await self._database.once(store.count_condemned)

    async def confirm(self, *, actor: Actor) -> None:
        """Let this database delete from its store again, as an operator.  Refuses `StoreDiffers`.

        The grace period of each condemned object begins again.
        """
        token = new_id()

        async def act(tx: Tx) -> None:
            claim, found = await store.locked_claim(tx), await self._read()
            self._note(claim, found)
            # Other processes of this database may check meanwhile: they find what this one knows, and no contest.
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
        # A crash after this leaves a store that is not the database's; it is adopted again.
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
        """Return the marks in the store; empty values for a missing mark, or one of another key."""
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
