"""Recoveries for the console: search by id, timeline of steps, and a work list of steps that take long."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from meterai import incidents
from meterai.accounts import Permission
from meterai.kit.ids import read_typed
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.recovery import store
from meterai.recovery.model import KIND, RECOVERY_SUBJECT, Recovery, StepEvent, StepTaken
from meterai.room import Knows, WorkList

STEP_MINUTES = 15  # minutes at one step after which staff should look for the cause


def subject(recovery: Recovery) -> Subject:
    """Return the `Subject` by which the staff console refers to a recovery."""
    return Subject(RECOVERY_SUBJECT.kind, recovery.shown)


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    identifier = read_typed(KIND, text)
    found = await store.one(tx, identifier) if identifier else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    found = await _recoveries(tx, about)
    return [
        one
        for recovery in found
        for one in _happenings(recovery, await store.taken(tx, recovery.id))
    ]


async def _recoveries(tx: ReadTx, about: Subject) -> Sequence[Recovery]:
    if about.kind == RECOVERY_SUBJECT.kind and (identifier := read_typed(KIND, about.shown)):
        found = await store.one(tx, identifier)
        return (found,) if found else ()
    if about.kind == SubjectKind.INCIDENT and (
        identifier := read_typed(incidents.KIND, about.shown)
    ):
        return await store.of_incident(tx, identifier)
    return ()


def _happenings(recovery: Recovery, taken: Sequence[StepTaken]) -> Iterator[Happening]:
    for one in taken:
        facts = {"step": Sentence(f"recovery.step.{one.state}", {}), "orders": one.numbers.orders}
        yield Happening(
            one.entered_at,
            f"recovery_{one.event}",
            facts,
            subject(recovery),
            actor=one.actor,
            for_staff=True,
            begins=one.event is StepEvent.STARTED,
        )


async def _waiting(
    tx: ReadTx, _settings: Settings, now: datetime, _limit: int
) -> Sequence[WorkItem]:
    found = await store.under_way(tx)
    if found is None or found.waited_minutes(now) < STEP_MINUTES:
        return ()
    facts = {"step": Sentence(f"recovery.step.{found.state}", {}), "recovery": found.shown}
    return (WorkItem(subject(found), found.moved_at, None, facts),)


KNOWS = Knows(find=_find, tell=_tell)
WORK = (WorkList(name="recoveries", permission=Permission.CONSOLE_INCIDENTS, waiting=_waiting),)
