"""Incidents that go by themselves: opened and resolved by the watch while nobody of staff writes, and planned
maintenance at its times."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from meterai.incidents import store
from meterai.incidents.adapters.watchers import Note, Watchers
from meterai.incidents.agreeing import agreed
from meterai.incidents.model import (
    Change,
    Incident,
    IncidentKind,
    IncidentState,
    Told,
    Watched,
    severity_of,
)
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.steps import open_one, update
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.components import Component, ComponentState, worst
from meterai.kit.refusal import Refusal
from meterai.plumbing.database import Database, Tx
from meterai.plumbing.messages import LANGUAGES, translate

WATCHING, PLANNING = "watch_incidents", "begin_maintenance"  # names of the periodic tasks
# An incident is resolved by the watch after so long without a fault; the watchers themselves waited before they said so.
CALM = timedelta(minutes=5)
NOTE_LIVES = timedelta(days=1)  # what was typed longer ago is about another night
_OPERATIONAL = ComponentState.OPERATIONAL
_WATCH = Actor(ActorKind.JOB, WATCHING)
_log = structlog.get_logger()


class Watching:
    """Reads the watchers, and writes what they agree on."""

    def __init__(
        self, database: Database, watchers: Watchers, settings: IncidentSettings, clock: Clock
    ) -> None:
        self._database = database
        self._watchers = watchers
        self._opens = settings.incidents_by_watch
        self._clock = clock

    @property
    def has_watchers(self) -> bool:
        """True where a file of watchers was named."""
        return self._watchers.count > 0

    async def look(self) -> int:
        """Periodic task: ask the watchers, and open, move and resolve incidents by what they agree on."""
        said, notes = await self._watchers.ask(self._clock.now())
        now = self._clock.now()
        seen = agreed(said, self._watchers.count, now)
        await self._database.run(partial(self._see, seen=seen, now=now))
        young = [note for note in notes if note.at > now - NOTE_LIVES]
        if young:
            taken = await self._database.once(store.taken, [note.source for note in young])
            for note in young:
                if note.source not in taken:
                    await self._database.run(partial(self._note, note=note, now=now))
        return 0

    async def _see(self, tx: Tx, seen: Sequence[Watched], now: datetime) -> None:
        for one in seen:
            await store.keep_watched(tx, one)
        if not self._opens:
            return
        await store.lock_opening(tx)
        open_now = await store.open_now(tx)
        own = next((one for one in open_now if one.is_watched), None)
        explained = {component for one in open_now if one.is_felt for component in one.components}
        faulty = [
            one for one in seen if one.state > _OPERATIONAL and one.component not in explained
        ]
        if own is not None:
            await self._go_on(tx, own, {one.component: one for one in seen}, faulty, now)
        elif faulty:
            begun = Change(state=IncidentState.INVESTIGATING, components=_states(faulty))
            since = min(one.since for one in faulty)
            await open_one(tx, begun, _words(faulty), started_at=since, at=now, actor=_WATCH)

    async def _go_on(
        self,
        tx: Tx,
        own: Incident,
        seen: Mapping[Component, Watched],
        faulty: Sequence[Watched],
        now: datetime,
    ) -> None:
        """Move an incident that nobody of staff wrote to."""
        of_own = [seen[one] for one in own.components if one in seen]
        bad = [one for one in of_own if one.state > _OPERATIONAL]
        worse = [one for one in bad if one.state > own.components[one.component]]
        if own.state is IncidentState.MONITORING and bad:
            worse = bad
        if faulty or worse:
            changed = [*worse, *faulty]
            change = Change(
                state=IncidentState.INVESTIGATING,
                components=_states(changed),
                severity=severity_of(
                    max(worst(own.components.values()), worst(one.state for one in changed))
                ),
            )
            await update(tx, own.id, change, _words(changed), at=now, actor=_WATCH)
        elif bad or len(of_own) < len(own.components):
            return  # as it was, or not measured
        elif own.state is not IncidentState.MONITORING:
            change = Change(state=IncidentState.MONITORING)
            await update(tx, own.id, change, _said("mended"), at=now, actor=_WATCH)
        elif now - own.updates[-1].at >= CALM and not own.held_by:
            change = Change(state=IncidentState.RESOLVED)
            await update(tx, own.id, change, _said("over"), at=now, actor=_WATCH)

    async def _note(self, tx: Tx, note: Note, now: datetime) -> None:
        """Make words that were typed at a watcher an update of the open incident over their component, once."""
        about = [
            one
            for one in await store.open_now(tx)
            if one.is_felt and note.component in one.components
        ]
        if not about:
            return
        change = Change(state=about[0].state, source=note.source)
        told = Told(text_id=note.text_id, text_en=note.text_en)
        try:
            await update(tx, about[0].id, change, told, at=now, actor=_WATCH)
        except Refusal as refusal:
            _log.warning("note_not_taken", source=note.source, code=refusal.code)

    # -- maintenance -------------------------------------------------------------------------------

    async def plan(self) -> int:
        """Periodic task: begin and end maintenance at its times; one that could not begin before its end is cancelled."""
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
            await update(tx, of.id, Change(state=state), _said(str(state)), at=now, actor=actor)
        except Refusal as refusal:
            # A fault is open over one of its components: it waits, and is cancelled where that lasts.
            _log.warning("maintenance_waits", maintenance=of.shown, code=refusal.code)


def _due(one: Incident, now: datetime) -> IncidentState | None:
    """The state that a maintenance goes to by the clock, None where it stays."""
    if one.kind is not IncidentKind.MAINTENANCE or one.begins_at is None or one.ends_at is None:
        return None
    is_over = now >= one.ends_at
    if one.state is IncidentState.UNDER_WAY:
        return IncidentState.ENDED if is_over and not one.held_by else None
    if is_over:
        return IncidentState.CANCELLED
    return IncidentState.UNDER_WAY if now >= one.begins_at else None


def _states(seen: Sequence[Watched]) -> Mapping[Component, ComponentState]:
    return {one.component: one.state for one in seen}


def _words(seen: Sequence[Watched]) -> Told:
    """Words of the watch about components that do not work, made from their states and faults."""
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
    return Told(
        title_id=titles["id"], title_en=titles["en"], text_id=texts["id"], text_en=texts["en"]
    )


def _said(word: str) -> Told:
    texts = {language: translate(f"watch.{word}", language) for language in LANGUAGES}
    return Told(text_id=texts["id"], text_en=texts["en"])
