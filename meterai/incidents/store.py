"""SQL of incidents, one function for each query.  An `Incident` may also be a maintenance."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from meterai.incidents.model import (
    Incident,
    IncidentNote,
    IncidentState,
    Mailing,
    StatusUpdate,
    Subscriber,
    WatchedComponent,
)
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper

_SELECT = """
SELECT incident_id AS id, kind, state, severity, jsonb_build_object('id', title_id, 'en', title_en) AS title,
    jsonb_build_object('id', changed_id, 'en', changed_en) AS changed, started_at, begins_at, ends_at, resolved_at,
    reviewed_at, updated_at, held_by, is_watched, report,
    (SELECT jsonb_object_agg(c.component, c.state) FROM incident_components c
     WHERE c.incident_id = i.incident_id) AS components,
    (SELECT jsonb_agg(jsonb_build_object('id', u.update_id, 'at', u.at, 'state', u.state, 'actor', u.actor,
                                         'text', jsonb_build_object('id', u.text_id, 'en', u.text_en))
                      ORDER BY u.number)
     FROM incident_updates u WHERE u.incident_id = i.incident_id) AS updates
FROM incidents i
"""
_ONE = _SELECT + " WHERE incident_id = %s"
_OPEN_NOW = _SELECT + " WHERE resolved_at IS NULL ORDER BY started_at, incident_id"
_SINCE = f"""
{_SELECT} WHERE started_at < %s AND (resolved_at IS NULL OR resolved_at >= %s)
ORDER BY started_at DESC, incident_id DESC LIMIT %s
"""
_NEWEST = _SELECT + " ORDER BY started_at DESC, incident_id DESC LIMIT %s"
# Another record about one of these components: felt now, or a maintenance planned for the given time.
_OVERLAPPING = """
SELECT i.incident_id, c.component FROM incidents i JOIN incident_components c ON c.incident_id = i.incident_id
WHERE i.resolved_at IS NULL AND i.incident_id <> %s AND c.component = ANY(%s)
    AND CASE WHEN %s::timestamptz IS NULL THEN c.is_felt ELSE i.begins_at < %s AND i.ends_at > %s END
ORDER BY i.started_at LIMIT 1
"""
_INSERT = """
INSERT INTO incidents (incident_id, kind, state, severity, title_id, title_en, started_at, begins_at, ends_at,
                       opened_at, updated_at, is_watched)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_PUT_COMPONENT = """
INSERT INTO incident_components (incident_id, component, state, is_felt) VALUES (%s, %s, %s, %s)
ON CONFLICT (incident_id, component) DO UPDATE SET state = excluded.state, is_felt = excluded.is_felt
"""
_FEEL = "UPDATE incident_components SET is_felt = %s WHERE incident_id = %s"
_MOVE = """
UPDATE incidents SET state = %s, severity = %s, resolved_at = %s, reviewed_at = %s, updated_at = %s, is_watched = %s
WHERE incident_id = %s
"""
_INSERT_UPDATE = """
INSERT INTO incident_updates (incident_id, update_id, number, at, state, text_id, text_en, actor, source)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (source) WHERE source IS NOT NULL DO NOTHING
"""
_HOLD = "UPDATE incidents SET held_by = %s WHERE incident_id = %s"
_REVIEW = """
UPDATE incidents SET state = 'reviewed', reviewed_at = %s, updated_at = %s, changed_id = %s, changed_en = %s,
    report = NULL
WHERE incident_id = %s
"""
# One lock for all openings: of two about one component the later waits, and its refusal names the first.
_LOCK_OPENING = "SELECT pg_advisory_xact_lock(hashtextextended('incidents', 0))"


def _components(found: Mapping[str, str]) -> Mapping[Component, ComponentState]:
    named = {Component(name): ComponentState.of(label) for name, label in found.items()}
    return {one: named[one] for one in Component if one in named}


def _updates(found: Sequence[Mapping[str, Any]]) -> Sequence[StatusUpdate]:
    return tuple(
        StatusUpdate(
            datetime.fromisoformat(one["at"]),
            IncidentState(one["state"]),
            one["text"],
            one["actor"],
            UUID(one["id"]),
        )
        for one in found
    )


# Components that do not work by agreement of the watchers, without an open record.
_UNEXPLAINED = """
SELECT component, state, since, faults, told_at, seen_at FROM incident_watched w
WHERE state <> 'operational' AND NOT EXISTS
    (SELECT 1 FROM incident_components c WHERE c.component = w.component AND c.is_felt)
ORDER BY since
"""
_WATCHED = "SELECT component, state, since, faults, told_at, seen_at FROM incident_watched ORDER BY component"
# `seen_at` restarts at each change between working and not working, and after a time without agreement.
_KEEP_WATCHED = """
INSERT INTO incident_watched AS before (component, state, since, faults, told_at, seen_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (component) DO UPDATE SET state = excluded.state, since = excluded.since, faults = excluded.faults,
    told_at = excluded.told_at,
    seen_at = CASE WHEN (before.state = 'operational') = (excluded.state = 'operational')
        AND before.told_at > excluded.told_at - interval '90 seconds' THEN before.seen_at ELSE excluded.seen_at END
RETURNING seen_at
"""
_FORGET_NOTES = "DELETE FROM incident_notes WHERE source <> ALL(%s)"
_KEEP_NOTE = """
INSERT INTO incident_notes (source, at, component, text_id, text_en) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (source) DO NOTHING
"""
_NOTES = """
SELECT source, at, component, jsonb_build_object('id', text_id, 'en', text_en) AS text FROM incident_notes n
WHERE at > %s AND NOT EXISTS (SELECT 1 FROM incident_updates u WHERE u.source = n.source)
ORDER BY at DESC, source LIMIT %s
"""
_PLAN_MAILING = """
INSERT INTO incident_mailings (update_id, incident_id)
SELECT %s, %s WHERE EXISTS (SELECT 1 FROM incident_subscribers WHERE confirmed_at IS NOT NULL)
"""
_NEXT_MAILING = """
SELECT update_id AS update, incident_id AS incident, told_to FROM incident_mailings
ORDER BY update_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_TOLD_TO = "UPDATE incident_mailings SET told_to = %s WHERE update_id = %s"
_END_MAILING = "DELETE FROM incident_mailings WHERE update_id = %s"
_SUBSCRIBERS = """
SELECT subscriber_id AS id, email, language, confirmed_at FROM incident_subscribers
WHERE confirmed_at IS NOT NULL AND subscriber_id > %s ORDER BY subscriber_id LIMIT %s
"""
_SUBSCRIBER = """
SELECT subscriber_id AS id, email, language, confirmed_at FROM incident_subscribers WHERE subscriber_id = %s
"""
_SUBSCRIBER_OF = """
SELECT subscriber_id AS id, email, language, confirmed_at FROM incident_subscribers WHERE email = %s
"""
# An unconfirmed address is asked again after a day, a subscribed one never; the visitor sees the same answer.
_ASK = """
INSERT INTO incident_subscribers (subscriber_id, email, language, asked_at)
SELECT new.* FROM (VALUES (%s::uuid, %s, %s, %s::timestamptz)) AS new (subscriber_id, email, language, asked_at)
WHERE NOT EXISTS (SELECT 1 FROM incident_subscribers other
    WHERE regexp_replace(other.email, '[+][^@]*@', '@') = regexp_replace(new.email, '[+][^@]*@', '@')
        AND other.email <> new.email AND other.asked_at > new.asked_at - interval '1 day')
ON CONFLICT ON CONSTRAINT one_subscription_of_an_address DO UPDATE
SET asked_at = excluded.asked_at, language = excluded.language
WHERE incident_subscribers.confirmed_at IS NULL AND incident_subscribers.asked_at < excluded.asked_at - interval '1 day'
RETURNING subscriber_id
"""
_ASKED_SINCE = """
SELECT count(*) FROM incident_subscribers WHERE confirmed_at IS NULL AND asked_at > %s
"""
_CONFIRM = """
UPDATE incident_subscribers SET confirmed_at = %s WHERE subscriber_id = %s AND confirmed_at IS NULL
"""
_UNSUBSCRIBE = "DELETE FROM incident_subscribers WHERE subscriber_id = %s"
_KEEP_REPORT = "UPDATE incidents SET report = %s WHERE incident_id = %s AND reviewed_at IS NOT NULL"
_INCIDENTS = RowMapper(Incident, components=_components, updates=_updates)
_SEEN = RowMapper(WatchedComponent, state=ComponentState.of)
_MAILINGS = RowMapper(Mailing)
_PROPOSED = RowMapper(IncidentNote)
_PEOPLE = RowMapper(Subscriber)


async def one(tx: ReadTx, incident: UUID, *, is_locked: bool = False) -> Incident | None:
    """Return one incident; with `is_locked`, lock it until the transaction ends."""
    query = _ONE + (" FOR UPDATE OF i" if is_locked else "")
    return await tx.one_as(_INCIDENTS, query, incident)


async def open_now(tx: ReadTx) -> list[Incident]:
    """Return incidents that are not over, the oldest first."""
    return await tx.all_as(_INCIDENTS, _OPEN_NOW)


async def since(tx: ReadTx, begin: datetime, end: datetime, limit: int) -> list[Incident]:
    """Return incidents that were not over at some time from `begin` to `end`, the newest first."""
    return await tx.all_as(_INCIDENTS, _SINCE, end, begin, limit)


async def lock_opening(tx: Tx) -> None:
    """Wait until no other transaction opens or updates an incident; others then wait until this transaction ends."""
    await tx.value(_LOCK_OPENING)


async def overlapping(
    tx: ReadTx,
    but: UUID,
    components: Sequence[Component],
    planned: tuple[datetime, datetime] | None = None,
) -> tuple[UUID, str] | None:
    """Return an incident other than `but` about one of these components, and the component; None if there is none.

    With the times `planned`, only maintenance whose planned time overlaps them is searched.  Without these times, only
    incidents that are open and have begun are searched.
    """
    begin, end = planned or (None, None)
    row = await tx.one(_OVERLAPPING, but, list(map(str, components)), begin, end, begin)
    return (row["incident_id"], row["component"]) if row else None


async def insert(tx: Tx, made: Incident) -> None:
    """Insert an incident and its components."""
    await tx.run(
        _INSERT,
        made.id,
        made.kind,
        made.state,
        made.severity,
        made.title["id"],
        made.title["en"],
        made.started_at,
        made.begins_at,
        made.ends_at,
        made.updated_at,
        made.updated_at,
        made.is_watched,
    )
    await put_components(tx, made, made.components)


async def put_components(tx: Tx, of: Incident, states: Mapping[Component, ComponentState]) -> None:
    """Upsert the states of components of an incident."""
    for component, state in states.items():
        await tx.run(_PUT_COMPONENT, of.id, component, state.label, of.is_felt)


async def move(tx: Tx, moved: Incident) -> None:
    """Store the state, severity and times of an incident, and whether the states of its components apply now."""
    await tx.run(
        _MOVE,
        moved.state,
        moved.severity,
        moved.resolved_at,
        moved.reviewed_at,
        moved.updated_at,
        moved.is_watched,
        moved.id,
    )
    await tx.run(_FEEL, moved.is_felt, moved.id)


async def write(
    tx: Tx, of: Incident, update: StatusUpdate, number: int, source: str | None
) -> bool:
    """Insert an update of an incident; return False if `source`, a note of a watcher, was published as an update before."""
    added = await tx.run(
        _INSERT_UPDATE,
        of.id,
        update.id,
        number,
        update.at,
        update.state,
        update.text["id"],
        update.text["en"],
        update.actor,
        source,
    )
    return bool(added)


async def hold(tx: Tx, incident: UUID, by: str) -> None:
    """Set the recovery that holds an incident; an empty `by` means that no recovery holds it."""
    await tx.run(_HOLD, by, incident)


async def review(tx: Tx, incident: UUID, changed: Mapping[str, str], at: datetime) -> None:
    """Set the text of an incident's review, and delete the stored figures of the incident's report, so that they are computed again."""
    await tx.run(_REVIEW, at, at, changed["id"], changed["en"], incident)


async def unexplained(tx: ReadTx) -> list[WatchedComponent]:
    """Return components that do not work according to the watchers, and that no open incident is about."""
    return await tx.all_as(_SEEN, _UNEXPLAINED)


async def watched(tx: ReadTx) -> list[WatchedComponent]:
    """Return the last agreed state of each component."""
    return await tx.all_as(_SEEN, _WATCHED)


async def keep_watched(tx: Tx, seen: WatchedComponent) -> datetime:
    """Store an agreed state of a component.  Return the time since which all stored states say that it works, or all that it
    does not.

    That time begins anew after 90 seconds without an agreed state.
    """
    found: datetime = await tx.value(
        _KEEP_WATCHED,
        seen.component,
        seen.state.label,
        seen.since,
        seen.faults,
        seen.told_at,
        seen.seen_at,
    )
    return found


async def keep_note(tx: Tx, note: IncidentNote) -> None:
    """Insert a note of a watcher, unless it is stored already."""
    await tx.run(_KEEP_NOTE, note.source, note.at, note.component, note.text["id"], note.text["en"])


async def forget_notes(tx: Tx, but: Sequence[str]) -> None:
    """Delete all notes except those with these sources, which watchers still publish."""
    await tx.run(_FORGET_NOTES, list(but))


async def notes(tx: ReadTx, after: datetime, limit: int) -> list[IncidentNote]:
    """Return the notes after a moment that staff have not published as updates, the newest first."""
    return await tx.all_as(_PROPOSED, _NOTES, after, limit)


async def newest(tx: ReadTx, limit: int) -> list[Incident]:
    """Return incidents of all times, the newest first."""
    return await tx.all_as(_INCIDENTS, _NEWEST, limit)


async def plan_mailing(tx: Tx, update: UUID, incident: UUID) -> None:
    """Insert a mailing of an update, if there are subscribers."""
    await tx.run(_PLAN_MAILING, update, incident)


async def next_mailing(tx: Tx) -> Mailing | None:
    """Lock and return the oldest unfinished mailing."""
    return await tx.one_as(_MAILINGS, _NEXT_MAILING)


async def set_last_told(tx: Tx, mailing: Mailing, last: UUID) -> None:
    """Store the last subscriber to whom a mailing was sent."""
    await tx.run(_TOLD_TO, last, mailing.update)


async def end_mailing(tx: Tx, mailing: Mailing) -> None:
    """Delete a finished mailing."""
    await tx.run(_END_MAILING, mailing.update)


async def subscribers(tx: ReadTx, after: UUID, limit: int) -> list[Subscriber]:
    """Return confirmed subscribers with ids after `after`, in the order of ids."""
    return await tx.all_as(_PEOPLE, _SUBSCRIBERS, after, limit)


async def subscriber(tx: ReadTx, subscriber_id: UUID) -> Subscriber | None:
    """Return one subscriber, confirmed or not."""
    return await tx.one_as(_PEOPLE, _SUBSCRIBER, subscriber_id)


async def subscriber_of(tx: ReadTx, email: str) -> Subscriber | None:
    """Return the subscriber with this address, confirmed or not."""
    return await tx.one_as(_PEOPLE, _SUBSCRIBER_OF, email)


async def ask(tx: Tx, subscriber_id: UUID, email: str, language: str, at: datetime) -> UUID | None:
    """Store an address to which a confirmation mail is to be sent, and return its id.

    None if the address is subscribed, or if it (or a variant with `+`) was stored within a day before.
    """
    found: UUID | None = await tx.value(_ASK, subscriber_id, email, language, at)
    return found


async def asked_since(tx: ReadTx, at: datetime) -> int:
    """Count the unconfirmed addresses for which a confirmation mail was requested since a moment."""
    return int(await tx.value(_ASKED_SINCE, at))


async def confirm(tx: Tx, subscriber_id: UUID, at: datetime) -> None:
    """Store that the owner of an address confirmed its subscription."""
    await tx.run(_CONFIRM, at, subscriber_id)


async def unsubscribe(tx: Tx, subscriber_id: UUID) -> None:
    """Delete a subscriber."""
    await tx.run(_UNSUBSCRIBE, subscriber_id)


async def keep_report(tx: Tx, incident: UUID, report: Mapping[str, object]) -> None:
    """Set the figures of a report, after the review."""
    await tx.run(_KEEP_REPORT, jsonb(dict(report)), incident)
