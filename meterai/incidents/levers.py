"""Levers of incidents (staff actions with a forecast): open, update, announce, cancel, resolve, review."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Moment, Pull, offered_on
from meterai.incidents import steps
from meterai.incidents.model import (
    INCIDENT,
    KIND,
    SOURCE_LENGTH_MAX,
    Incident,
    IncidentChange,
    IncidentEvent,
    IncidentKind,
    IncidentState,
    IncidentText,
    Severity,
    words_of,
)
from meterai.kit.components import Component, ComponentState
from meterai.kit.ids import read
from meterai.kit.refusal import Malformed, NotFound, Sentence
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx, Tx

UNAFFECTED: Final = "unaffected"
StateWord: TypeAlias = Literal[
    "unaffected", "operational", "degraded_performance", "partial_outage", "major_outage"
]
SeverityWord: TypeAlias = Literal["as_components", "minor", "major", "critical"]


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """Base for the arguments of levers (staff actions): the state of each component.

    In an update, `unaffected` means that the component keeps its state.
    """

    site: StateWord = UNAFFECTED
    sign_in: StateWord = UNAFFECTED
    buying: StateWord = UNAFFECTED
    payment: StateWord = UNAFFECTED
    stamping: StateWord = UNAFFECTED
    checking: StateWord = UNAFFECTED
    refunds: StateWord = UNAFFECTED
    line: StateWord = UNAFFECTED

    def states(self) -> Mapping[Component, ComponentState]:
        """Return the states of the components that are not `unaffected`."""
        words = {one: getattr(self, one.value) for one in Component}
        return {one: ComponentState.of(w) for one, w in words.items() if w != UNAFFECTED}


class IncidentOpen(Affected, frozen=True, kw_only=True):
    """Arguments of the lever (staff action) that opens an incident; without `started_at` the incident begins now."""

    title_id: str
    title_en: str
    text_id: str
    text_en: str
    severity: SeverityWord = "as_components"
    started_at: Moment | None = None

    def change(self) -> IncidentChange:
        """Return the first state of the incident, its components and its severity."""
        return IncidentChange(
            state=IncidentState.INVESTIGATING,
            components=self.states(),
            severity=_severity(self.severity),
        )


class IncidentUpdate(Affected, frozen=True, kw_only=True):
    """Arguments of the lever (staff action) that updates an incident; `as_it_is` means that the incident keeps its state.

    `note` is the note of a watcher that the update publishes.
    """

    incident: str
    text_id: str
    text_en: str
    state: Literal["as_it_is", "investigating", "identified", "monitoring"] = "as_it_is"
    severity: SeverityWord = "as_components"
    note: Annotated[str, msgspec.Meta(max_length=SOURCE_LENGTH_MAX)] = ""

    def change(self, incident: Incident) -> IncidentChange:
        """Return the change of the incident: its next state, its changed components and its severity."""
        return IncidentChange(
            state=incident.state if self.state == "as_it_is" else IncidentState(self.state),
            components=self.states(),
            severity=_severity(self.severity),
            source=self.note or None,
        )


class MaintenanceAnnounce(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of the lever (staff action) that announces a maintenance: its times, components and texts in both languages."""

    title_id: str
    title_en: str
    text_id: str
    text_en: str
    begins_at: Moment
    ends_at: Moment
    site: bool = False
    sign_in: bool = False
    buying: bool = False
    payment: bool = False
    stamping: bool = False
    checking: bool = False
    refunds: bool = False
    line: bool = False

    def components(self) -> Sequence[Component]:
        """Return the components that the maintenance concerns: those set to true."""
        return [one for one in Component if getattr(self, one.value)]


class IncidentWords(msgspec.Struct, frozen=True):
    """Arguments of a lever (staff action) that adds a text in both languages to an incident."""

    incident: str
    text_id: str
    text_en: str


class IncidentReview(msgspec.Struct, frozen=True):
    """Arguments of the lever (staff action) that reviews an incident: texts in both languages on what was changed after it."""

    incident: str
    changed_id: str
    changed_en: str


def _told(asked: IncidentOpen | MaintenanceAnnounce) -> IncidentText:
    return IncidentText(
        title_id=asked.title_id,
        title_en=asked.title_en,
        text_id=asked.text_id,
        text_en=asked.text_en,
    )


def _severity(word: str) -> Severity | None:
    return None if word == "as_components" else Severity(word)


async def named(tx: ReadTx, shown: str) -> Incident:
    """Return the incident with a shown number (`inc_...`).  Refuses `IncidentUnknown`, `Malformed`."""
    try:
        found = read(KIND, shown)
    except NotFound:
        raise Malformed("incident", "known_name") from None
    return await steps.one(tx, found)


def _about(incident: Incident) -> Subject:
    return Subject(SubjectKind.INCIDENT, incident.shown)


def _component_effects(states: Mapping[Component, ComponentState]) -> list[Effect]:
    return [
        Effect(
            "incident_component",
            {
                "component": Sentence(f"component.{one}", {}),
                "now": Sentence(f"component_state.{state.label}", {}),
            },
        )
        for one, state in states.items()
    ]


def _words(text: Mapping[str, str]) -> Effect:
    return Effect("incident_words", {"text_id": text["id"], "text_en": text["en"]})


async def _would_open(tx: ReadTx, asked: IncidentOpen, pull: Pull) -> Forecast:
    made = steps.made(asked.change(), _told(asked), asked.started_at or pull.at, pull.at)
    await steps.check_overlap(tx, made)
    opens = Effect(
        "incident_opens",
        {
            "title_id": made.title["id"],
            "title_en": made.title["en"],
            "severity": Sentence(f"severity.{made.severity}", {}),
        },
    )
    words = _words(words_of(asked.text_id, asked.text_en))
    return Forecast([opens, words, *_component_effects(made.components)], rows=1)


async def _open(tx: Tx, asked: IncidentOpen, pull: Pull) -> None:
    await steps.open_one(
        tx,
        asked.change(),
        _told(asked),
        started_at=asked.started_at or pull.at,
        at=pull.at,
        actor=pull.actor,
    )


def _updated(asked: IncidentUpdate | IncidentWords, incident: Incident) -> IncidentChange:
    assert isinstance(asked, IncidentUpdate)
    return asked.change(incident)


def _resolved(_asked: IncidentUpdate | IncidentWords, incident: Incident) -> IncidentChange:
    is_planned = incident.kind is IncidentKind.MAINTENANCE
    return IncidentChange(state=IncidentState.ENDED if is_planned else IncidentState.RESOLVED)


def _cancelled(_asked: IncidentUpdate | IncidentWords, _incident: Incident) -> IncidentChange:
    return IncidentChange(state=IncidentState.CANCELLED)


_Changes: TypeAlias = Callable[[IncidentUpdate | IncidentWords, Incident], IncidentChange]


async def _would_write(
    tx: ReadTx, asked: IncidentUpdate | IncidentWords, pull: Pull, *, changes: _Changes
) -> Forecast:
    incident = await named(tx, asked.incident)
    change, text = changes(asked, incident), words_of(asked.text_id, asked.text_en)
    moved = steps.after_update(incident, change, pull.at, pull.actor)
    if moved.is_felt:
        await steps.check_overlap(tx, moved)
    becomes = Effect(
        "incident_becomes", {"now": Sentence(f"incident.{moved.state}", {})}, _about(incident)
    )
    return Forecast([becomes, _words(text), *_component_effects(change.components)], rows=1)


async def _write(
    tx: Tx, asked: IncidentUpdate | IncidentWords, pull: Pull, *, changes: _Changes
) -> None:
    incident = await named(tx, asked.incident)
    told = IncidentText(text_id=asked.text_id, text_en=asked.text_en)
    change = changes(asked, incident)
    await steps.update(tx, incident.id, change, told, at=pull.at, actor=pull.actor)


async def _would_announce(tx: ReadTx, asked: MaintenanceAnnounce, pull: Pull) -> Forecast:
    times = asked.begins_at, asked.ends_at
    made = steps.planned(asked.components(), _told(asked), times, pull.at)
    await steps.check_overlap(tx, made)
    announces = Effect(
        "maintenance_announced",
        {
            "title_id": made.title["id"],
            "title_en": made.title["en"],
            "begins_at": asked.begins_at.isoformat(),
            "ends_at": asked.ends_at.isoformat(),
        },
    )
    words = _words(words_of(asked.text_id, asked.text_en))
    return Forecast([announces, words, *_component_effects(made.components)], rows=1)


async def _announce(tx: Tx, asked: MaintenanceAnnounce, pull: Pull) -> None:
    times = asked.begins_at, asked.ends_at
    await steps.announce(tx, asked.components(), _told(asked), times, at=pull.at, actor=pull.actor)


async def _would_review(tx: ReadTx, asked: IncidentReview, _pull: Pull) -> Forecast:
    incident = await named(tx, asked.incident)
    INCIDENT.after(incident.state, IncidentEvent.REVIEWED)
    changed = words_of(asked.changed_id, asked.changed_en, "changed")
    published = Effect("incident_report_published", {}, _about(incident))
    return Forecast([published, _words(changed)], rows=1)


async def _review(tx: Tx, asked: IncidentReview, pull: Pull) -> None:
    incident = await named(tx, asked.incident)
    await steps.review(
        tx, incident.id, asked.changed_id, asked.changed_en, at=pull.at, actor=pull.actor
    )


_on_incidents = offered_on(SubjectKind.INCIDENT, "incident")
_MAY = Permission.CONSOLE_INCIDENTS
OPEN = Lever(
    name="incidents open",
    permission=_MAY,
    arguments=IncidentOpen,
    forecast=_would_open,
    carry_out=_open,
)
UPDATE = Lever(
    name="incidents update",
    permission=_MAY,
    arguments=IncidentUpdate,
    forecast=partial(_would_write, changes=_updated),
    carry_out=partial(_write, changes=_updated),
    offered=_on_incidents,
)
ANNOUNCE = Lever(
    name="incidents announce",
    permission=_MAY,
    arguments=MaintenanceAnnounce,
    forecast=_would_announce,
    carry_out=_announce,
)
CANCEL = Lever(
    name="incidents cancel",
    permission=_MAY,
    arguments=IncidentWords,
    forecast=partial(_would_write, changes=_cancelled),
    carry_out=partial(_write, changes=_cancelled),
    offered=_on_incidents,
)
RESOLVE = Lever(
    name="incidents resolve",
    permission=_MAY,
    arguments=IncidentWords,
    forecast=partial(_would_write, changes=_resolved),
    carry_out=partial(_write, changes=_resolved),
    offered=_on_incidents,
)
REVIEW = Lever(
    name="incidents review",
    permission=_MAY,
    arguments=IncidentReview,
    forecast=_would_review,
    carry_out=_review,
    offered=_on_incidents,
)
LEVERS = (OPEN, UPDATE, ANNOUNCE, CANCEL, RESOLVE, REVIEW)
