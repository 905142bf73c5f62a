"""Automatic incidents and maintenance.

A periodic task (the watch) opens an incident by the agreed states of watchers, and updates and resolves it while staff write
no update.  Planned maintenance begins and ends at its times.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from meterai.incidents import store
from meterai.incidents.adapters.watchers import Watchers
from meterai.incidents.agreeing import agreed
from meterai.incidents.model import (
    TITLE_LENGTH_MAX,
    WORDS_LENGTH_MAX,
    Incident,
    IncidentChange,
    IncidentKind,
    IncidentNote,
    IncidentState,
    IncidentText,
    WatchedComponent,
    severity_of,
)
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.steps import open_one, update
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.components import Component, ComponentState, worst
from meterai.kit.refusal import Refusal
from meterai.kit.text import one_line
from meterai.plumbing.db.database import Database, DatabaseAway, Tx
from meterai.plumbing.messages import LANGUAGES, translate

WATCHING, PLANNING = "watch_incidents", "begin_maintenance"  # names of the periodic tasks
# Time without a fault until the watch resolves an incident; the watchers wait too before they report that it works.
CALM = timedelta(minutes=5)
# An agreed state opens an incident once it has lasted this long: three queries.  Each update is a mail to every subscriber,
# and a shorter disturbance is over before the mail is read.
LASTS = timedelta(seconds=15)
_OPERATIONAL = ComponentState.OPERATIONAL
_WATCH = Actor(ActorKind.JOB, WATCHING)
_log = structlog.get_logger()


class Watching:
    """Asks the watchers, and opens, updates and resolves incidents by their agreed states; begins and ends maintenance."""

    def __init__(
        self, database: Database, watchers: Watchers, settings: IncidentSettings, clock: Clock
    ) -> None:
        self._database = database
        self._watchers = watchers
        self._opens = settings.incidents_by_watch
        self._clock = clock

    @property
    def has_watchers(self) -> bool:
        """True if a file of watchers is configured."""
        return self._watchers.count > 0

    async def look(self) -> int:
        """Periodic task: ask the watchers, and open, update and resolve incidents by their agreed states."""
        said, notes = await self._watchers.ask(self._clock.now())
        now = self._clock.now()
        seen = []
        for one in agreed(said, self._watchers.count, now):
            with _isolated(component=str(one.component)):
                seen_at = await self._database.once(store.keep_watched, one)
                seen.append(replace(one, seen_at=seen_at))
        if self._opens:
            with _isolated():
                await self._database.run(partial(self._see, seen=seen, now=now))
        await self._keep(notes)
        return 0

    async def _keep(self, notes: Sequence[IncidentNote]) -> None:
        """Store the notes of watchers as proposals to staff, since a watcher's key alone must not publish a text."""
        carried = [one for one in notes if all(one.text.values())]
        with _isolated():
            await self._database.once(store.forget_notes, [one.source for one in carried])
        for one in carried:
            with _isolated(source=one.source):
                await self._database.once(store.keep_note, one)

    async def _see(self, tx: Tx, seen: Sequence[WatchedComponent], now: datetime) -> None:
        await store.lock_opening(tx)
        open_now = await store.open_now(tx)
        own = next((one for one in open_now if one.is_watched), None)
        explained = {component for one in open_now if one.is_felt for component in one.components}
        faulty = [
            one
            for one in seen
            if one.state > _OPERATIONAL
            and one.component not in explained
            and now - _begun(one) >= LASTS
        ]
        if own is not None:
            await self._continue(tx, own, {one.component: one for one in seen}, faulty, now)
        elif faulty:
            begun = IncidentChange(state=IncidentState.INVESTIGATING, components=_states(faulty))
            since = min(map(_begun, faulty))
            await open_one(tx, begun, _words(faulty), started_at=since, at=now, actor=_WATCH)

    async def _continue(
        self,
        tx: Tx,
        own: Incident,
        seen: Mapping[Component, WatchedComponent],
        faulty: Sequence[WatchedComponent],
        now: datetime,
    ) -> None:
        """Update or resolve `own`, the incident that this task opened and to which staff wrote no update."""
        of_own = [seen[one] for one in own.components if one in seen]
        bad = [one for one in of_own if one.state > _OPERATIONAL]
        worse = [one for one in bad if one.state > own.components[one.component]]
        if own.state is IncidentState.MONITORING and bad:
            worse = bad
        if faulty or worse:
            changed = [*worse, *faulty]
            change = IncidentChange(
                state=IncidentState.INVESTIGATING,
                components=_states(changed),
                severity=severity_of(
                    max(worst(own.components.values()), worst(one.state for one in changed))
                ),
            )
            await update(tx, own.id, change, _words(changed), at=now, actor=_WATCH)
        elif bad or len(of_own) < len(own.components):
            return  # unchanged, or not measured
        elif own.state is not IncidentState.MONITORING:
            change = IncidentChange(state=IncidentState.MONITORING)
            await update(tx, own.id, change, _said("mended"), at=now, actor=_WATCH)
        elif now - max(one.seen_at for one in of_own) >= CALM and not own.held_by:
            change = IncidentChange(state=IncidentState.RESOLVED)
            await update(tx, own.id, change, _said("over"), at=now, actor=_WATCH)

    # -- maintenance -------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Periodic task: begin and end maintenance at its times; cancel maintenance that could not begin before its end."""
        now = self._clock.now()
        due = [
            (one, state)
            for one in await self._database.once(store.open_now)
            if (state := _due(one, now)) is not None
        ]
        for one, state in due:
            await self._database.run(partial(self._move, of=one, state=state, now=now))
        return 0

    async def _move(self, tx: Tx, of: Incident, state: IncidentState, now: datetime) -> None:
        actor = Actor(ActorKind.JOB, PLANNING)
        try:
            await update(
                tx, of.id, IncidentChange(state=state), _said(str(state)), at=now, actor=actor
            )
        except Refusal as refusal:
            # An incident about one of its components is open: the maintenance waits, and is cancelled if that lasts.
            _log.warning("maintenance_waits", maintenance=of.shown, code=refusal.code)


def _due(one: Incident, now: datetime) -> IncidentState | None:
    """Return the state that a maintenance has to change to by its planned times; None if its state does not change."""
    if one.kind is not IncidentKind.MAINTENANCE or one.begins_at is None or one.ends_at is None:
        return None
    is_over = now >= one.ends_at
    if one.state is IncidentState.UNDER_WAY:
        return IncidentState.ENDED if is_over and not one.held_by else None
    if is_over:
        return IncidentState.CANCELLED
    return IncidentState.UNDER_WAY if now >= one.begins_at else None


@contextmanager
def _isolated(**facts: str) -> Iterator[None]:
    """Log a fault of one transaction, so that the run continues with the other transactions.  `DatabaseAway` is raised."""
    try:
        yield
    except DatabaseAway:
        raise
    except Exception as fault:  # boundary of a loop: the next run may succeed
        _log.error("watch_step_failed", fault=one_line(repr(fault))[:300], **facts)


def _begun(one: WatchedComponent) -> datetime:
    """Return the time since which a component works or does not work, according to the watchers or to our stored states.

    The earlier of the two times is returned.  The watchers also measure while the database is unavailable, so their time may be
    the earlier one.
    """
    return min(one.since, one.seen_at)


def _states(seen: Sequence[WatchedComponent]) -> Mapping[Component, ComponentState]:
    return {one.component: one.state for one in seen}


def _words(seen: Sequence[WatchedComponent]) -> IncidentText:
    """Return title and text of an incident about components that do not work, from their states and faults."""
    titles, texts = {}, {}
    for language in LANGUAGES:
        each = [
            translate(
                "watch.component",
                language,
                component=translate(f"component.{one.component}", language),
                now=translate(f"component_state.{one.state.label}", language).lower(),
                faults=one.faults,
            )
            for one in seen
        ]
        names = ", ".join(translate(f"component.{one.component}", language) for one in seen)
        titles[language] = translate("watch.title", language, components=names)
        texts[language] = translate("watch.opened", language, components="; ".join(each))
    return IncidentText(
        title_id=titles["id"][:TITLE_LENGTH_MAX],
        title_en=titles["en"][:TITLE_LENGTH_MAX],
        text_id=texts["id"][:WORDS_LENGTH_MAX],
        text_en=texts["en"][:WORDS_LENGTH_MAX],
    )


def _said(word: str) -> IncidentText:
    texts = {language: translate(f"watch.{word}", language) for language in LANGUAGES}
    return IncidentText(text_id=texts["id"], text_en=texts["en"])
