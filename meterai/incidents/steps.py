"""Steps of an incident: each checks the lifecycle, stores the state and writes the audit trail.

They run in the caller's transaction.  An `Incident` may also be a maintenance.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from meterai import trail
from meterai.accounts import NOBODY
from meterai.incidents import store
from meterai.incidents.events import IncidentReviewed
from meterai.incidents.model import (
    INCIDENT,
    JOB_UPDATES_MAX,
    KIND,
    LEADS_TO,
    UPDATES_MAX,
    Incident,
    IncidentChange,
    IncidentEvent,
    IncidentFull,
    IncidentHeld,
    IncidentKind,
    IncidentOverlaps,
    IncidentState,
    IncidentText,
    IncidentUnknown,
    StatusUpdate,
    check_times,
    severity_of,
    title_of,
    words_of,
)
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.components import Component, ComponentState, worst
from meterai.kit.ids import new_id, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Malformed
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work.events import emit

SHOWN_MAX = 50  # limit of `since`: months of records
_OVER = (IncidentState.RESOLVED, IncidentState.ENDED, IncidentState.CANCELLED)
_WAY_OUT = (IncidentState.MONITORING, *_OVER)  # updates towards the end are exempt from the maximum


async def one(tx: ReadTx, incident: UUID) -> Incident:
    """Return one incident.  Refuses `IncidentUnknown`."""
    found = await store.one(tx, incident)
    if found is None:
        raise IncidentUnknown("no such incident")
    return found


async def locked(tx: Tx, incident: UUID) -> Incident:
    """Lock and return one incident, until the transaction ends.  Refuses `IncidentUnknown`."""
    if await store.one(tx, incident, is_locked=True) is None:
        raise IncidentUnknown("no such incident")
    return await one(tx, incident)  # read after the lock was obtained


async def open_now(tx: ReadTx) -> list[Incident]:
    """Return incidents that are not over, announced maintenance included, the oldest first."""
    return await store.open_now(tx)


async def since(
    tx: ReadTx, begin: datetime, end: datetime, limit: int = SHOWN_MAX
) -> list[Incident]:
    """Return incidents that were not over at some time from `begin` to `end`, the newest first."""
    return await store.since(tx, begin, end, limit)


def made(begun: IncidentChange, told: IncidentText, started_at: datetime, at: datetime) -> Incident:
    """Return a new incident that began at `started_at`, without storing it.  Refuses `Malformed`, `NotAllowedNow`."""
    if started_at > at:
        raise Malformed("started_at", "within_bounds")
    INCIDENT.after(IncidentState.INVESTIGATING, LEADS_TO[begun.state])
    return _new(IncidentKind.INCIDENT, begun, told, started_at, at)


def planned(
    components: Sequence[Component],
    told: IncidentText,
    times: tuple[datetime, datetime],
    at: datetime,
) -> Incident:
    """Return a new maintenance, planned from one moment to another, without storing it.  Refuses `Malformed`."""
    check_times(*times, at)
    states = dict.fromkeys(components, ComponentState.UNDER_MAINTENANCE)
    begun = IncidentChange(state=IncidentState.ANNOUNCED, components=states)
    found = _new(IncidentKind.MAINTENANCE, begun, told, at, at)
    return replace(found, begins_at=times[0], ends_at=times[1])


async def open_one(
    tx: Tx,
    begun: IncidentChange,
    told: IncidentText,
    *,
    started_at: datetime,
    at: datetime,
    actor: Actor,
) -> Incident:
    """Open an incident.  Refuses `IncidentOverlaps`, `Malformed`."""
    found = made(begun, told, started_at, at)
    found = replace(found, is_watched=actor.kind is ActorKind.JOB)
    return await _begin(tx, found, told, actor, begun.source)


async def announce(
    tx: Tx,
    components: Sequence[Component],
    told: IncidentText,
    times: tuple[datetime, datetime],
    *,
    at: datetime,
    actor: Actor,
) -> Incident:
    """Announce a maintenance, planned from one moment to another.  Refuses `IncidentOverlaps`, `Malformed`."""
    return await _begin(tx, planned(components, told, times, at), told, actor, None)


def _new(
    kind: IncidentKind,
    begun: IncidentChange,
    told: IncidentText,
    started_at: datetime,
    at: datetime,
) -> Incident:
    states = begun.components
    if not states or ComponentState.OPERATIONAL in states.values():
        raise Malformed("components", "given")
    return Incident(
        id=new_id(),
        kind=kind,
        state=begun.state,
        severity=begun.severity or severity_of(worst(states.values())),
        components=states,
        title=title_of(told),
        started_at=started_at,
        begins_at=None,
        ends_at=None,
        resolved_at=None,
        reviewed_at=None,
        updated_at=at,
        updates=(),
        held_by="",
        is_watched=False,
        report=None,
        changed={"id": "", "en": ""},
    )


async def _begin(
    tx: Tx, begun: Incident, told: IncidentText, actor: Actor, source: str | None
) -> Incident:
    text = words_of(told.text_id, told.text_en)
    await store.lock_opening(tx)
    await check_overlap(tx, begun)
    await store.insert(tx, begun)
    await record(tx, actor, "incident_opened", begun.id, kind=begun.kind, severity=begun.severity)
    said = StatusUpdate(begun.updated_at, begun.state, text, str(actor), new_id())
    await store.write(tx, begun, said, 1, source)
    await store.plan_mailing(tx, said.id, begun.id)
    return replace(begun, updates=(said,))


async def check_overlap(tx: ReadTx, incident: Incident) -> None:
    """Refuse `IncidentOverlaps` if another incident concerns one of the incident's components at the same time."""
    times = None
    if incident.state is IncidentState.ANNOUNCED and incident.begins_at and incident.ends_at:
        times = incident.begins_at, incident.ends_at
    if found := await store.overlapping(tx, incident.id, list(incident.components), times):
        raise IncidentOverlaps(show(KIND, found[0]), found[1])


def after_update(
    incident: Incident, change: IncidentChange, at: datetime, actor: Actor
) -> Incident:
    """Return the incident as it is after an update.  The update is never dated before the update that precedes it.

    Refuses `NotAllowedNow`, `IncidentHeld`, `IncidentFull`.
    """
    state = change.state
    if not (incident.is_open and state == incident.state):
        if state is IncidentState.REVIEWED or state not in LEADS_TO:
            raise NotAllowedNow(INCIDENT.subject, incident.state, state)
        INCIDENT.after(incident.state, LEADS_TO[state])
    if state in _OVER and incident.held_by:
        raise IncidentHeld(incident.held_by)
    if state not in _WAY_OUT or state == incident.state:
        _check_room(incident, actor)
    when = max(at, incident.updated_at)
    return replace(
        incident,
        state=state,
        severity=change.severity or incident.severity,
        components={**incident.components, **change.components},
        updated_at=when,
        resolved_at=when if state in _OVER else None,
        is_watched=incident.is_watched and actor.kind is ActorKind.JOB,
    )


def _check_room(incident: Incident, actor: Actor) -> None:
    """Check that the incident may get one more update; the maximum is lower for periodic tasks than for staff.

    Refuses `IncidentFull`.
    """
    is_job = actor.kind is ActorKind.JOB
    of_like = [one for one in incident.updates if one.actor.startswith("job:") == is_job]
    updates_max = JOB_UPDATES_MAX if is_job else UPDATES_MAX
    if len(of_like) >= updates_max:
        raise IncidentFull(updates_max)


async def update(
    tx: Tx,
    incident: UUID,
    change: IncidentChange,
    told: IncidentText,
    *,
    at: datetime,
    actor: Actor,
) -> Incident:
    """Add a text to an incident and set its state, which may stay the same.

    If the note of `change.source` was published before, nothing changes.  Refuses `IncidentUnknown`, `NotAllowedNow`,
    `IncidentHeld`, `IncidentFull`, `IncidentOverlaps`, `Malformed`.
    """
    text = words_of(told.text_id, told.text_en)
    await store.lock_opening(tx)
    before = await locked(tx, incident)
    moved = after_update(before, change, at, actor)
    if moved.is_felt:
        await check_overlap(tx, moved)
    said = StatusUpdate(moved.updated_at, moved.state, text, str(actor), new_id())
    number = len(before.updates) + 1
    if not await store.write(tx, before, said, number, change.source):
        return before
    await store.plan_mailing(tx, said.id, incident)
    await store.put_components(tx, moved, change.components)
    await store.move(tx, moved)
    await record(tx, actor, "incident_updated", incident, state=str(moved.state), number=number)
    return replace(moved, updates=(*before.updates, said))


async def add_update(
    tx: Tx,
    incident: UUID,
    *,
    state: IncidentState,
    text_id: str,
    text_en: str,
    at: datetime,
    actor: Actor,
) -> Incident:
    """Add a text to an incident and set its state like `update`, but change no components."""
    told = IncidentText(text_id=text_id, text_en=text_en)
    return await update(tx, incident, IncidentChange(state=state), told, at=at, actor=actor)


async def hold(tx: Tx, incident: UUID, by: str) -> None:
    """Hold an incident for a recovery, so that it cannot be resolved; the recovery writes the audit trail.

    Refuses `IncidentUnknown`, `IncidentHeld` if another recovery holds it, `NotAllowedNow` unless it is open and has begun.
    """
    found = await locked(tx, incident)
    if found.held_by and found.held_by != by:
        raise IncidentHeld(found.held_by)
    if not found.is_felt:
        raise NotAllowedNow(INCIDENT.subject, found.state, "held")
    await store.hold(tx, incident, by)


async def release(tx: Tx, incident: UUID) -> None:
    """Release a held incident; does nothing if it is not held.  Refuses `IncidentUnknown`."""
    await locked(tx, incident)
    await store.hold(tx, incident, "")


async def review(
    tx: Tx, incident: UUID, changed_id: str, changed_en: str, *, at: datetime, actor: Actor
) -> Incident:
    """Store the text of staff on what was changed since an incident that is over; the incident's report becomes public.

    Refuses `IncidentUnknown`, `NotAllowedNow`, `Malformed`.
    """
    changed = words_of(changed_id, changed_en, "changed")
    found = await locked(tx, incident)
    state = INCIDENT.after(found.state, IncidentEvent.REVIEWED)
    when = max(at, found.updated_at)
    await store.review(tx, incident, changed, when)
    await record(tx, actor, "incident_reviewed", incident)
    await emit(tx, IncidentReviewed(account=NOBODY, incident=incident))
    return replace(
        found, state=state, reviewed_at=when, updated_at=when, changed=changed, report=None
    )


async def record(tx: Tx, actor: Actor, action: str, incident: UUID, /, **facts: object) -> None:
    """Write an act on an incident to the audit trail."""
    subject = show(KIND, incident)
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject, **facts)
