"""Outage records as subjects of the console: found by number, with their timeline, and a work list."""

from collections.abc import Sequence
from datetime import datetime

from meterai.accounts import Permission
from meterai.kit.ids import read, read_typed
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.outages import store
from meterai.outages.model import OUTAGE_KIND, OUTAGE_SUBJECT, Outage, OutageState
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList


def subject(outage: Outage) -> Subject:
    """Return an outage record as a `Subject`: the object of a page, a search result or a timeline in the console."""
    return Subject(OUTAGE_SUBJECT.kind, outage.shown)


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    number = read_typed(OUTAGE_KIND, text)
    found = await store.one(tx, number) if number else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    try:
        if about.kind == OUTAGE_SUBJECT.kind:
            one = await store.one(tx, read(OUTAGE_KIND, about.shown))
            found: Sequence[Outage] = (one,) if one else ()
        elif about.kind == SubjectKind.INCIDENT:
            found = await store.of_incident(tx, read("inc", about.shown))
        else:
            return ()
    except NotFound:
        return ()
    return [happening for one in found for happening in _told(one)]


def _told(outage: Outage) -> Sequence[Happening]:
    """Return the timeline of an outage record; its lines about a proposal or a withdrawal are for staff only."""
    ended = "replaced" if outage.state == OutageState.REPLACED else "withdrawn"
    moves = (
        ("proposed", outage.proposed_at),
        ("confirmed", outage.confirmed_at),
        ("sealed", outage.sealed_at),
        (ended, outage.ended_at),
    )
    facts = {"outage": outage.shown, "begin_at": outage.begins_at, "end_at": outage.ends_at}
    return [
        Happening(
            at,
            f"outage_{word}",
            facts,
            subject(outage),
            actor=outage.proposed_by if word == "proposed" else "",
            for_staff=word in {"proposed", "withdrawn"},
            begins=word == "proposed",
        )
        for word, at in moves
        if at is not None
    ]


async def _waiting(
    tx: ReadTx, _settings: Settings, _now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one),
            one.proposed_at,
            None,
            {
                "begin_at": one.begins_at,
                "end_at": one.ends_at,
                "confirmed_at": one.confirmed_at or "",
            },
        )
        for one in await store.waiting(tx, limit)
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (WorkList(name="outages", permission=Permission.CONSOLE_INCIDENTS, waiting=_waiting),)
