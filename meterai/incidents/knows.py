"""The part of incidents in the console: search by number, timelines of incidents, and work lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from meterai.accounts import Permission
from meterai.incidents import store
from meterai.incidents.model import KIND, NOTE_LIVES, Incident, IncidentState
from meterai.kit.ids import read, read_typed
from meterai.kit.refusal import NotFound, Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.kit.text import quoted
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

# While an incident is felt, the public gets an update at least once an hour.
SILENT_MAX = timedelta(hours=1)


def subject(incident: Incident) -> Subject:
    """Return the `Subject` that names an incident in the console."""
    return Subject(SubjectKind.INCIDENT, incident.shown)


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    number = read_typed(KIND, text)
    found = await store.one(tx, number) if number else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.kind != SubjectKind.INCIDENT:
        return ()
    try:
        found = await store.one(tx, read(KIND, about.shown))
    except NotFound:
        return ()
    if found is None:
        return ()
    told = [
        Happening(
            one.at,
            "incident_update",
            {"now": Sentence(f"incident.{one.state}", {}), "text": dict(one.text)},
            subject(found),
            actor=one.actor,
            begins=number == 0,
        )
        for number, one in enumerate(found.updates)
    ]
    if found.reviewed_at is not None:
        told.append(Happening(found.reviewed_at, "incident_reviewed", {}, subject(found)))
    return told


async def _silent(tx: ReadTx, _settings: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one),
            one.updates[-1].at,
            one.updates[-1].at + SILENT_MAX,
            {"title": dict(one.title)},
        )
        for one in await store.open_now(tx)
        if one.state is not IncidentState.ANNOUNCED and one.updates[-1].at < now - SILENT_MAX
    ][:limit]


async def _proposed(
    tx: ReadTx, _settings: Settings, _now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [
        WorkItem(
            Subject(SubjectKind.INCIDENT, str(one.component)),
            one.since,
            None,
            {
                "component": Sentence(f"component.{one.component}", {}),
                "now": Sentence(f"component_state.{one.state.label}", {}),
            },
        )
        for one in await store.unexplained(tx)
    ][:limit]


async def _noted(tx: ReadTx, _settings: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    felt = {
        component: one.shown
        for one in await store.open_now(tx)
        if one.is_felt
        for component in one.components
    }
    return [
        WorkItem(
            Subject(SubjectKind.INCIDENT, felt.get(one.component, str(one.component))),
            one.at,
            None,
            {
                "source": one.source,
                "component": Sentence(f"component.{one.component}", {}),
                "text": {language: quoted(text) for language, text in one.text.items()},
            },
        )
        for one in await store.notes(tx, now - NOTE_LIVES, limit)
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (
    WorkList(name="incidents", permission=Permission.CONSOLE_INCIDENTS, waiting=_silent),
    WorkList(name="incidents_proposed", permission=Permission.CONSOLE_INCIDENTS, waiting=_proposed),
    WorkList(name="incidents_noted", permission=Permission.CONSOLE_INCIDENTS, waiting=_noted),
)
