"""Incident: the record of a disturbance or of an announced maintenance, and its lifecycle; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from meterai.kit.components import NEEDED_FOR, Component, ComponentState, PublicAct, worst
from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Malformed, Refusal
from meterai.kit.text import lines_of_text, one_line

KIND = "inc"
TITLE_LENGTH_MAX = 120  # characters; two lines of a banner on a phone
WORDS_LENGTH_MAX = 2_000  # characters of an update; a page
UPDATES_MAX = 200  # by staff, of one incident; one each five minutes for a night is 100
JOB_UPDATES_MAX = (
    50  # by the watch and other tasks, in addition to those of staff; limits a flapping component
)
NOTE_LIVES = timedelta(days=1)  # an older note of a watcher is about another disturbance
SOURCE_LENGTH_MAX = 100  # characters: name of a watcher, and number of its note
MAINTENANCE_MAX = timedelta(days=3)  # a longer interruption is no maintenance
ANNOUNCED_AHEAD_MAX = timedelta(days=180)


class IncidentKind(StrEnum):
    """Kind of an `Incident`: an incident, or a planned maintenance."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"


class IncidentState(StrEnum):
    """State of an incident or a maintenance; the last four are of maintenance only."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"  # the cause is known
    MONITORING = "monitoring"  # it seems to be fixed, and is observed
    RESOLVED = "resolved"
    REVIEWED = "reviewed"  # its report is public
    ANNOUNCED = "announced"
    UNDER_WAY = "under_way"
    ENDED = "ended"
    CANCELLED = "cancelled"  # it never began


class IncidentEvent(StrEnum):
    """Event in the life of an incident or a maintenance, named after the state it leads to."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    UNDER_WAY = "under_way"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Severity(StrEnum):
    """Severity of an incident."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


_S, _E = IncidentState, IncidentEvent
_WORKED_ON = (_S.INVESTIGATING, _S.IDENTIFIED, _S.MONITORING)
INCIDENT = Lifecycle(
    "the incident",
    {
        **{
            (before, event): after
            for before in _WORKED_ON
            for event, after in (
                (_E.INVESTIGATING, _S.INVESTIGATING),
                (_E.IDENTIFIED, _S.IDENTIFIED),
                (_E.MONITORING, _S.MONITORING),
                (_E.RESOLVED, _S.RESOLVED),
            )
        },
        (_S.RESOLVED, _E.REVIEWED): _S.REVIEWED,
        (_S.REVIEWED, _E.REVIEWED): _S.REVIEWED,  # the text of a review may be replaced
        (_S.ANNOUNCED, _E.UNDER_WAY): _S.UNDER_WAY,
        (_S.ANNOUNCED, _E.CANCELLED): _S.CANCELLED,
        (_S.UNDER_WAY, _E.ENDED): _S.ENDED,
    },
    also_begins={IncidentState.ANNOUNCED},
)
OPEN = (*_WORKED_ON, _S.ANNOUNCED, _S.UNDER_WAY)
LEADS_TO = {_S(event): event for event in _E}


class IncidentUnknown(Refusal):
    """There is no incident of this number."""

    code = "incident_unknown"
    status = 404


class IncidentHeld(Refusal):
    """A recovery from this incident is under way: the incident cannot be resolved until the recovery ends."""

    code = "incident_held"

    def __init__(self, by: str) -> None:
        super().__init__(f"held by {by}")
        self.by = by


class IncidentOverlaps(Refusal):
    """Another incident or maintenance concerns the same component at the same time."""

    code = "incident_overlaps"

    def __init__(self, incident: str, component: str) -> None:
        super().__init__(f"{incident} is about {component}")
        self.incident = incident
        self.component = component


class IncidentFull(Refusal):
    """The incident has the maximum number of updates; updates by staff and by periodic tasks have separate maxima."""

    code = "incident_full"

    def __init__(self, updates_max: int) -> None:
        super().__init__("too many updates")
        self.updates_max = updates_max


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Update of an incident in both languages, and its state from then on.  Only staff see `actor`."""

    at: datetime
    state: IncidentState
    text: Mapping[str, str]
    actor: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident or a maintenance with its updates, the oldest first."""

    id: UUID
    kind: IncidentKind
    state: IncidentState
    severity: Severity
    components: Mapping[Component, ComponentState]
    title: Mapping[str, str]
    started_at: datetime
    begins_at: datetime | None  # planned begin of a maintenance
    ends_at: datetime | None
    resolved_at: datetime | None  # end: resolved, ended or cancelled
    reviewed_at: datetime | None
    updated_at: datetime
    updates: Sequence[StatusUpdate]
    held_by: str  # rcv_... of a recovery under way
    is_watched: bool  # opened by the watch, without updates by staff since
    report: Mapping[str, Any] | None  # figures of its report, counted after the review
    changed: Mapping[str, str]  # what was changed since, for the report; empty before the review

    @property
    def shown(self) -> str:
        """The number as people see it."""
        return show(KIND, self.id)

    @property
    def is_open(self) -> bool:
        """True until the incident is over; also True for a maintenance that has not begun."""
        return self.resolved_at is None

    @property
    def is_felt(self) -> bool:
        """True while the incident is open and has begun, so that its component states apply."""
        return self.is_open and self.state != IncidentState.ANNOUNCED

    @property
    def acts(self) -> Sequence[PublicAct]:
        """Public acts, such as buying, that need at least one of the incident's components."""
        return [act for act, needed in NEEDED_FOR.items() if needed & set(self.components)]

    @property
    def worst(self) -> ComponentState:
        """The worst state of the incident's components."""
        return worst(self.components.values())


@dataclass(frozen=True, slots=True)
class WatchedComponent:
    """State of a component on which a majority of all watchers agrees, since when it works or does not, and its faults."""

    component: Component
    state: ComponentState
    since: datetime
    faults: str
    told_at: datetime
    seen_at: (
        datetime  # since when this installation has read, without a gap, that it works or does not
    )


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """Note that staff typed at a watcher: a proposal for an update.  `source` is the name of the watcher and the note's id."""

    source: str
    at: datetime
    component: Component
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentText:
    """Text in both languages as typed, with a title for a new incident."""

    text_id: str
    text_en: str
    title_id: str = ""
    title_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChange:
    """Change of an incident by an update: its state, the components that change, and its severity.

    `source` is the note of a watcher that the update publishes; each note is published once.
    """

    state: IncidentState
    components: Mapping[Component, ComponentState] = field(default_factory=dict)
    severity: Severity | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Address of a subscriber; an unconfirmed one gets only the mail that asks for confirmation."""

    id: UUID
    email: str
    language: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mailing:
    """Mailing of an update to all subscribers, and the subscriber to whom the latest mail was sent."""

    update: UUID
    incident: UUID
    told_to: UUID


class TooManySubscriptions(Refusal):
    """One network, or all networks together, requested the hourly maximum of confirmation mails."""

    code = "too_many_subscriptions"
    status = 429
    retry_after_seconds = 3_600
    quota = ("subscriptions", "")


class SubscriptionUnknown(Refusal):
    """The link opens no subscription: it ended, was not confirmed in time, or never existed."""

    code = "subscription_unknown"
    status = 404


def severity_of(state: ComponentState) -> Severity:
    """Return the severity of an automatically opened incident, from the worst state of its components."""
    if state >= ComponentState.MAJOR_OUTAGE:
        return Severity.CRITICAL
    return Severity.MAJOR if state == ComponentState.PARTIAL_OUTAGE else Severity.MINOR


def title_of(told: IncidentText) -> Mapping[str, str]:
    """Return a title in both languages, each on one line.  Refuses `Malformed` if one is missing or too long."""
    return _both("title", one_line(told.title_id), one_line(told.title_en), TITLE_LENGTH_MAX)


def words_of(text_id: str, text_en: str, field: str = "text") -> Mapping[str, str]:
    """Return a text in both languages.  Refuses `Malformed` if one is missing or too long."""
    return _both(field, lines_of_text(text_id), lines_of_text(text_en), WORDS_LENGTH_MAX)


def _both(name: str, text_id: str, text_en: str, length_max: int) -> Mapping[str, str]:
    found = {"id": text_id, "en": text_en}
    for language, text in found.items():
        if not 1 <= len(text) <= length_max:
            raise Malformed(f"{name}_{language}", "shown_text", length_max=length_max)
    return found


def check_times(begins_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Check the times of a maintenance: not in the past, in order, not too long.  Refuses `Malformed`."""
    if not now < begins_at < now + ANNOUNCED_AHEAD_MAX:
        raise Malformed("begins_at", "maintenance_times")
    if not begins_at < ends_at <= begins_at + MAINTENANCE_MAX:
        raise Malformed("ends_at", "maintenance_times")
