"""Commands that show and change which object store the database uses, and whether it may delete from the store."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from meterai.commands import NO_OPTIONS, By, Options, line, operator, with_database
from meterai.documents.model import Hold, StoreClaim, StoreSays, hold_of
from meterai.documents.timeline import Timeline
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.objects import ObjectStore

Answer = TypeVar("Answer")
MEANING = {
    Hold.RESTORED: "the database is in another cluster than when it claimed the store: it was "
    "restored, moved or upgraded",
    Hold.BEHIND: "the store carries a claim that this database does not know: the database was "
    "restored to an earlier point, or a copy of it works with the same store",
    Hold.CONTESTED: "another database found a claim in the store that was not its own: it is a copy of this one, "
    "or this one is the copy",
}


def _with_timeline(
    command: str, options: Options, act: Callable[[Timeline], Awaitable[Answer]]
) -> Answer:
    async def run(database: Database, settings: Settings) -> Answer:
        objects = ObjectStore(settings.process.directory, keyring_of(settings).derived("objects"))
        return await act(Timeline(database, objects, SystemClock()))

    return with_database(command, options, run)


def _tell(claim: StoreClaim, said: StoreSays, condemned: int) -> None:
    is_ours = claim.store is not None and claim.store == said.store
    held = hold_of(claim, said)
    line(f"the object store {'is' if is_ours else 'is NOT'} the one that the database knows")
    line(f"database {claim.here.system}/{claim.here.database} on timeline {claim.here.timeline}")
    line(f"claimed {claim.claimed_at or 'never'} by {_name(claim)}")
    line(f"the claim in the store: {said.told or 'nothing'}")
    if said.contest:
        line(f"contested by {said.contest}")
    line(f"{condemned} objects are condemned")
    line(f"deletion {'is held: ' + MEANING[held] if held else 'is not held'}")


def _name(claim: StoreClaim) -> str:
    by = claim.claimed_by
    return f"{by.system}/{by.database} on timeline {by.timeline}" if by else "nobody"


def show(options: Options = NO_OPTIONS) -> None:
    """Show whether the object store belongs to the database, and whether deletion from it is held."""
    _tell(*_with_timeline("objects show", options, lambda timeline: timeline.found()))


def confirm(options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Let this database delete from its object store again, after a restore or a conflict with a copy.

    You confirm that no other database uses this store, and that nobody needs those objects in it that this database does not
    know.  The next sweep condemns such objects; they are deleted after their grace period.
    """
    actor = operator(by)

    async def act(timeline: Timeline) -> tuple[StoreClaim, StoreSays, int]:
        found = await timeline.found()
        await timeline.confirm(actor=actor)
        return found

    _tell(*_with_timeline("objects confirm", options, act))
    line(
        "confirmed: this database deletes from the store again; the grace period of condemned "
        "objects begins anew"
    )


def adopt(options: Options = NO_OPTIONS, *, by: By = None) -> None:
    """Make the object store of this machine the one of the database, since the old store is permanently lost.

    Every other machine must use this store too, or it stops working.  Originals that were only in
    the old store stay unavailable; no stamps and no money are lost.
    """
    actor = operator(by)

    _with_timeline("objects adopt", options, lambda timeline: timeline.adopt_store(actor=actor))
    line("this object store belongs to the database from now on")
