"""Interface to the subjects of draws, such as waiting lines, which the calling room stores.

A subject takes entries, closes the list of entries, and opens with the drawn numbers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx


class DrawSubject(NamedTuple):
    """Subject of a draw, such as a waiting line; its id is also the id of the draw.

    closes_at     when its list of entries is to close
    is_gathering  True while it takes entries
    is_drawing    True after the list was closed, until the order is drawn
    """

    id: UUID
    name: str
    closes_at: datetime
    is_gathering: bool
    is_drawing: bool


Change: TypeAlias = Callable[[Tx, UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Queries and changes of a room's subjects.  A change returns False if it was made before or is not due.

    path          URL path of the room's pages; files are published in `<path>/<name>/draws/<id>`
    due           returns the subjects that take entries or are being drawn
    named         returns a subject by its name, or None if it has ended
    close         closes the list of entries
    open_undrawn  opens a subject without a draw, since none was announced in time
    open          opens a subject after its draw; the argument is the next number after the drawn ones
    """

    path: str
    due: Callable[[ReadTx], Awaitable[Sequence[DrawSubject]]]
    named: Callable[[ReadTx, str], Awaitable[DrawSubject | None]]
    close: Change
    open_undrawn: Change
    open: Callable[[Tx, UUID, int], Awaitable[bool]]
