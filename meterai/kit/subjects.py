"""Subjects and happenings: the things that people ask about, and the events in their history; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from meterai.kit.ids import show


class SubjectKind:
    """Kinds of things that several rooms speak of; a kind of one room is in its model.  All are registered (`SubjectSort`)."""

    ACCOUNT: Final = "account"
    ORDER: Final = "order"
    STAMPING: Final = "stamping"
    SERIAL: Final = "serial"
    SUSPENSE: Final = "suspense"  # an item in suspense
    INCIDENT: Final = "incident"


@dataclass(frozen=True, slots=True)
class SubjectSort:
    """A kind of things that somebody asks about, as the room that has them registers it.

    `prefix` is that of their ids (`ord_...`), empty where they have others; `page` is the path of their pages in the
    console, empty where they have a timeline alone.  `subject.<kind>` is its name in the messages of the room.
    """

    kind: str
    prefix: str = ""
    page: str = ""


_KNOWN: dict[str, SubjectSort] = {}


def know(sorts: Iterable[SubjectSort]) -> None:
    """Adds kinds of the rooms of this process, which builds them; a repeat changes nothing."""
    _KNOWN.update((one.kind, one) for one in sorts)


def sort_of(kind: str) -> SubjectSort | None:
    """A kind as its room registered it, or None."""
    return _KNOWN.get(kind)


def kind_of_id(shown: str) -> str | None:
    """The kind of a thing by the prefix of its id; None where no room has such things."""
    prefix = shown.partition("_")[0]
    found = (one.kind for one in _KNOWN.values() if one.prefix == prefix)
    return next(found, None)


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that people ask about.

    `shown` is its id as people see it (`ord_...`, a serial); `account` is its owner, None if it has none.
    """

    kind: str
    shown: str
    account: UUID | None = None


def account_subject(account: UUID) -> Subject:
    """Return the subject of an account."""
    return Subject(SubjectKind.ACCOUNT, show("acc", account), account)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in the history of a subject.

    `word` names its sentence, `happening.<word>` in the messages of its room, filled from `facts`. `about` is the
    linked thing if it is not the subject itself. `actor` did it, as in the audit trail; only staff see it. `for_staff`
    leaves it out of the timeline of the person. `begins` marks the event that created the subject: nothing at the same
    time was before.
    """

    at: datetime
    word: str
    facts: Mapping[str, object] = field(default_factory=dict)
    about: Subject | None = None
    actor: str = ""
    for_staff: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Row of a work list: the waiting thing, the time since it waits, its due time, and facts (`work.<list>` is its
    sentence).
    """

    about: Subject
    since: datetime
    due: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def in_order(happenings: Sequence[Happening]) -> list[Happening]:
    """Sort happenings, oldest first; at equal times the one that begins the subject first, then in the given order."""
    return sorted(happenings, key=lambda one: (one.at, not one.begins))
