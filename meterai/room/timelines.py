"""The timeline of a subject, and what a search finds: every room asked, its answers in one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.kit.subjects import Happening, Subject, in_order
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import format_datetime, localize, translate
from meterai.room.container import Offers

TEXT_LENGTH_MAX = (
    200  # characters of a search: more than any number, address or reference of ours has
)
CONSOLE_PATH = "/console/subjects"  # where staff read the timeline of a subject


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """A happening as it is read: `moment` for programs, `at` in Western Indonesia Time for people.

    `about` is the thing it links to, None where it is the subject itself; staff alone see `actor`, and what is `for_staff`.
    """

    moment: datetime
    at: str
    sentence: str
    about: Subject | None
    actor: str
    for_staff: bool

    @property
    def link(self) -> str | None:
        """The page of the console to read on, None for the subject itself."""
        return None if self.about is None else console_path(self.about)


def console_path(subject: Subject) -> str:
    """The page of the console with the timeline of a subject."""
    return f"{CONSOLE_PATH}/{subject.kind}/{subject.shown}"


def line(happening: Happening, language: str) -> TimelineLine:
    """A happening in the language of who reads it."""
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
    """True where something of ours may be called so."""
    return 0 < len(text) <= TEXT_LENGTH_MAX and text.isprintable()


async def timeline(tx: ReadTx, offers: Offers, subject: Subject) -> list[Happening]:
    """Everything that the rooms tell of a subject, the oldest first; nothing of what nothing of ours is called.

    Of one moment the highest room comes first: what it does makes those below it act.
    """
    if not _can_name(subject.shown):
        return []
    told: list[Happening] = []
    for knows in reversed(list(offers.knows.values())):
        told += await knows.tell(tx, subject)
    return in_order(told)


async def found(tx: ReadTx, offers: Offers, text: str, limit: int) -> list[Subject]:
    """At most so many subjects that a text names, each once; none of a text that names nothing of ours."""
    # Copied text has line ends and spaces of every kind in it.
    wanted = " ".join(text.split()) if len(text) <= TEXT_LENGTH_MAX else ""
    if not _can_name(wanted):
        return []
    answers: list[Sequence[Subject]] = [
        await knows.find(tx, wanted, limit) for knows in offers.knows.values()
    ]
    every = {(one.kind, one.shown): one for answer in answers for one in answer}
    return list(every.values())[:limit]


async def subject_of(tx: ReadTx, offers: Offers, kind: str, shown: str) -> Subject | None:
    """The subject of a kind that is shown so, with whose it is; None where there is none."""
    same = (
        one for one in await found(tx, offers, shown, 20) if (one.kind, one.shown) == (kind, shown)
    )
    return next(same, None)
