"""What a draw is for, as the room above keeps it: it takes entries, closes them, and opens with the numbers drawn."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx


class DrawSubject(NamedTuple):
    """One thing that is drawn for; its id is that of the draw.

    closes_at     when entries are to be closed
    is_gathering  whether it takes entries
    is_drawing    whether its entries are closed, and their order is being drawn
    """

    id: UUID
    name: str
    closes_at: datetime
    is_gathering: bool
    is_drawing: bool


Change: TypeAlias = Callable[[Tx, UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """How a room keeps what it draws for.  Each change answers False where it was made, or is not due.

    path          of the pages; files are published in `<path>/<name>/draws/<id>`
    due           those that gather or are being drawn
    named         one by its name, unless it has ended
    close         takes no entry from now on
    open_undrawn  opens without a draw: none was announced in time
    open          opens behind the numbers that were drawn, given the next one
    """

    path: str
    due: Callable[[ReadTx], Awaitable[Sequence[DrawSubject]]]
    named: Callable[[ReadTx, str], Awaitable[DrawSubject | None]]
    close: Change
    open_undrawn: Change
    open: Callable[[Tx, UUID, int], Awaitable[bool]]
