"""Timeline of a subject, and results of a search, each merged from the answers of all rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.kit.subjects import Happening, Subject, in_order
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import format_datetime, localize, translate
from meterai.room.container import Offers

TEXT_LENGTH_MAX = (
    200  # characters of a search: longer than any number, address or reference of ours
)
CONSOLE_PATH = "/console/subjects"  # path of the timeline of a subject for staff


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One event in the timeline of a subject.

    `moment` is the time of the event, and `at` the same time as a text in Western Indonesia Time.  `about` is the other subject
    that the event concerns; None if it concerns only the subject of the timeline.  Only staff see `actor`, and lines whose
    `for_staff` is True.
    """

    moment: datetime
    at: str
    sentence: str
    about: Subject | None
    actor: str
    for_staff: bool

    @property
    def link(self) -> str | None:
        """Path of the console page of the subject in `about`; None if the event concerns only the subject of the timeline."""
        return None if self.about is None else console_path(self.about)


def console_path(subject: Subject) -> str:
    """Return the path of the console page with the timeline of a subject."""
    return f"{CONSOLE_PATH}/{subject.kind}/{subject.shown}"


def line(happening: Happening, language: str) -> TimelineLine:
    """Convert a happening (an event in the history of a subject) to a line of a timeline in the language of the reader."""
    facts = localize(happening.facts, language)
    return TimelineLine(
        happening.at,
        format_datetime(happening.at, language),
        translate(f"happening.{happening.word}", language, **facts),
        happening.about,
        happening.actor,
        happening.for_staff,
    )


def _can_name(text: str) -> bool:
    """True if this text can be the id of an object of the platform."""
    return 0 < len(text) <= TEXT_LENGTH_MAX and text.isprintable()


async def timeline(tx: ReadTx, offers: Offers, subject: Subject) -> list[Happening]:
    """Return all happenings of a subject, the oldest first; none for a text that cannot be an id of ours.

    Happenings with the same time are sorted by room: a room that calls others comes before them, since its acts cause theirs.
    """
    if not _can_name(subject.shown):
        return []
    happenings: list[Happening] = []
    for knows in reversed(list(offers.knows.values())):
        happenings += await knows.tell(tx, subject)
    return in_order(happenings)


async def found(tx: ReadTx, offers: Offers, text: str, limit: int) -> list[Subject]:
    """Return at most `limit` subjects that a text names, each once."""
    # Copied text contains line ends and spaces of every kind.
    wanted = " ".join(text.split()) if len(text) <= TEXT_LENGTH_MAX else ""
    if not _can_name(wanted):
        return []
    answers: list[Sequence[Subject]] = [
        await knows.find(tx, wanted, limit) for knows in offers.knows.values()
    ]
    every = {(one.kind, one.shown): one for answer in answers for one in answer}
    return list(every.values())[:limit]


async def subject_of(tx: ReadTx, offers: Offers, kind: str, shown: str) -> Subject | None:
    """Return the subject of this kind with the id `shown`, including its account; None if no such subject exists."""
    same = (
        one for one in await found(tx, offers, shown, 20) if (one.kind, one.shown) == (kind, shown)
    )
    return next(same, None)
