"""Subjects of draws as the room above keeps them: they take entries, close them, and open with the numbers drawn."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx


class DrawSubject(NamedTuple):
    """Subject of a draw; its id is that of the draw.

    closes_at     when entries are to be closed
    is_gathering  True while it takes entries
    is_drawing    True while its entries are closed and their order is being drawn
    """

    id: UUID
    name: str
    closes_at: datetime
    is_gathering: bool
    is_drawing: bool


Change: TypeAlias = Callable[[Tx, UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Queries and changes of a room's subjects.  A change returns False where it was made before, or is not due.

    path          of the pages; files are published in `<path>/<name>/draws/<id>`
    due           subjects that gather entries or are being drawn
    named         a subject by its name, unless it has ended
    close         closes the entries
    open_undrawn  opens without a draw: none was announced in time
    open          opens behind the drawn numbers, given the next one
    """

    path: str
    due: Callable[[ReadTx], Awaitable[Sequence[DrawSubject]]]
    named: Callable[[ReadTx, str], Awaitable[DrawSubject | None]]
    close: Change
    open_undrawn: Change
    open: Callable[[Tx, UUID, int], Awaitable[bool]]
