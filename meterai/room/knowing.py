"""Types for the `knows` of a room: it finds subjects for a search, returns happenings of a subject, and lists work of
staff.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from meterai.kit.subjects import Happening, Subject, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx

# Takes a typed text without the spaces around it, and the largest number of subjects to return.
Find: TypeAlias = Callable[[ReadTx, str, int], Awaitable[Sequence[Subject]]]
Tell: TypeAlias = Callable[[ReadTx, Subject], Awaitable[Sequence[Happening]]]
# Takes the settings, the moment, and the largest number of items to return, the most urgent first.
Waiting: TypeAlias = Callable[[ReadTx, Settings, datetime, int], Awaitable[Sequence[WorkItem]]]


async def _finds_nothing(_tx: ReadTx, _text: str, _limit: int) -> Sequence[Subject]:
    """The `find` of a room without searchable texts."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knows:
    """A room's knowledge of subjects.

    find   subjects that a text of the search box names: an id, a serial, an address, a digest, a number of a bank.
           Costs one statement at most, by an index, and none if the text cannot belong to this room.
    tell   happenings of a subject, of any kind, in any order; none of an unknown subject
    """

    find: Find = _finds_nothing
    tell: Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """List of work that waits for staff; staff with `permission` see it.

    The message `work.<name>` is its title, and the sentence of each of its items.
    """

    name: str
    permission: str
    waiting: Waiting
