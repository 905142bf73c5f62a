"""Subjects: objects that people ask about; happenings: the events in their history; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from meterai.kit.ids import show


class SubjectKind:
    """Kinds of subjects that several rooms use. A kind that only one room uses is declared in the `model` of that room. Both
    are registered as `SubjectSort`.
    """

    ACCOUNT: Final = "account"
    ORDER: Final = "order"
    STAMPING: Final = "stamping"
    SERIAL: Final = "serial"
    SUSPENSE: Final = "suspense"  # an item in suspense
    INCIDENT: Final = "incident"


@dataclass(frozen=True, slots=True)
class SubjectSort:
    """A kind of subjects, as registered by the room that owns them.

    prefix  prefix of their ids (`ord_...`); empty if their ids have none
    page    path of their pages in the console; empty if the console shows only their timeline

    The message `subject.<kind>` of the room is the name of the kind.
    """

    kind: str
    prefix: str = ""
    page: str = ""


_KNOWN: dict[str, SubjectSort] = {}


def know(sorts: Iterable[SubjectSort]) -> None:
    """Register kinds of subjects for this process; repeating it changes nothing."""
    _KNOWN.update((one.kind, one) for one in sorts)


def sort_of(kind: str) -> SubjectSort | None:
    """Return the registered kind of this name, or None."""
    return _KNOWN.get(kind)


def kind_of_id(shown: str) -> str | None:
    """Return the kind of subjects whose ids have the prefix of this id; None if no room registered the prefix."""
    prefix = shown.partition("_")[0]
    found = (one.kind for one in _KNOWN.values() if one.prefix == prefix)
    return next(found, None)


@dataclass(frozen=True, slots=True)
class Subject:
    """An object that people ask about.

    `shown` is its id as people see it (`ord_...`, a serial); `account` is its owner, None if it has no owner.
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

    word       names its sentence: the message `happening.<word>` of its room, filled from `facts`
    about      the other subject that the event concerns, to which the line links; None if it concerns only the subject of the
               timeline
    actor      the actor who caused the event, as in the audit trail; only staff see it
    for_staff  True if only staff see the happening
    begins     True for the happening that created the subject; it comes first among happenings of the same time
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
    """One row of a work list: the subject, since when it waits, when it is due, and facts for its sentence (`work.<list>`)."""

    about: Subject
    since: datetime
    due: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def in_order(happenings: Sequence[Happening]) -> list[Happening]:
    """Sort happenings, oldest first. At equal times the one with `begins` comes first; the others keep the given order."""
    return sorted(happenings, key=lambda one: (one.at, not one.begins))
