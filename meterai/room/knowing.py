"""Types for the `knows` of a room: its search for subjects, the happenings (events in the history) of a subject, and its work
lists.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from meterai.kit.subjects import Happening, Subject, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx

# Takes the typed text without surrounding spaces, and the largest number of subjects to return.
Find: TypeAlias = Callable[[ReadTx, str, int], Awaitable[Sequence[Subject]]]
Tell: TypeAlias = Callable[[ReadTx, Subject], Awaitable[Sequence[Happening]]]
# Takes the settings, the current time, and the largest number of rows to return, the most urgent first.
Waiting: TypeAlias = Callable[[ReadTx, Settings, datetime, int], Awaitable[Sequence[WorkItem]]]


async def _finds_nothing(_tx: ReadTx, _text: str, _limit: int) -> Sequence[Subject]:
    """The default `find` of a room without searchable texts: finds no subject."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knows:
    """Search and history that a room offers for subjects.

    find   returns subjects that the text in the search box identifies: by an id, a serial, an address, a digest, or a payment
           provider's number. It runs one indexed statement at most, and none if the text cannot belong to this room.
    tell   returns the events that this room knows in the history of a subject of any kind, in any order; none if it does not
           know the subject
    """

    find: Find = _finds_nothing
    tell: Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """A list of rows that wait for staff; staff with `permission` see it.

    The message `work.<name>` is its title, and `work.<name>.item` the sentence that each row shows.
    """

    name: str
    permission: str
    waiting: Waiting
