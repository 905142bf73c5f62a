"""Random draws of the order in a waiting line: the functions by which the room `draw` finds a line and changes its state."""

from meterai.draw import DrawSubject, Subjects
from meterai.plumbing.db.database import ReadTx
from meterai.waiting_room import store
from meterai.waiting_room.model import PATH, LineUnknown

SUBJECTS = Subjects(
    path=PATH,
    due=store.subjects_due,
    named=store.subject_named,
    close=store.close_entries,
    open_undrawn=store.open_undrawn,
    open=store.open_drawn,
)


async def subject_of(tx: ReadTx, name: str) -> DrawSubject:
    """Return the waiting line of this name in the form that its draw needs.

    Refuses `LineUnknown`, also for a line without a draw.
    """
    found = await store.subject_named(tx, name)
    if found is None:
        raise LineUnknown(f"no line {name} has a draw")
    return found
