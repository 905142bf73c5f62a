"""Public views of incidents, without actors and names of persons."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from meterai.incidents.model import Incident, StatusUpdate
from meterai.kit.components import Component, ComponentState, worst

UPDATES_SHOWN_MAX = (
    20  # of one incident in the API, which is polled often; page and feed show all updates
)


class Bilingual(msgspec.Struct, frozen=True):
    """A text in Indonesian and in English."""

    id: str
    en: str


_Number = Annotated[str, msgspec.Meta(examples=["inc_01m8nej272fw986fjrmsd2bafx"])]
_States = Annotated[
    dict[str, str],
    msgspec.Meta(examples=[{"buying": "major_outage", "payment": "degraded_performance"}]),
]
_Title = Annotated[
    Bilingual,
    msgspec.Meta(examples=[{"id": "Pembelian tidak berfungsi", "en": "Buying does not work"}]),
]


class UpdateView(msgspec.Struct, frozen=True):
    """A text about an incident, and its state from then on; `number` counts the updates of the incident from 1."""

    number: int
    at: datetime
    state: str
    text: Bilingual


class IncidentView(msgspec.Struct, frozen=True):
    """An incident, or a maintenance with its planned times.  It has the newest 20 updates, the oldest of them first."""

    id: _Number
    kind: str
    state: str
    severity: str
    components: _States
    title: _Title
    started_at: datetime
    begins_at: datetime | None
    ends_at: datetime | None
    resolved_at: datetime | None
    updates: list[UpdateView]


class FiguresView(msgspec.Struct, frozen=True):
    """Current figures of the platform; null if a figure is not known."""

    line_waiting: int | None = None
    admission_per_second: float | None = None
    paid_to_stamped_median_seconds: float | None = None
    paid_to_stamped_p95_seconds: float | None = None
    in_flight_orders: int | None = None
    in_flight_rupiah: int | None = None
    in_flight_oldest_seconds: float | None = None
    refunds_open: int | None = None
    refunds_open_rupiah: int | None = None
    refund_oldest_seconds: float | None = None
    mails_waiting_oldest_seconds: float | None = None


class StatusView(msgspec.Struct, frozen=True):
    """The public status of the platform.

    `at` is the time of the data; it is in the past while the database does not answer.  Open incidents come first, then the
    newest of the last 90 days; there are at most 50 incidents in all.
    """

    at: datetime
    figures: FiguresView
    incidents: list[IncidentView]


def bilingual(words: Mapping[str, str]) -> Bilingual:
    """Return a text in both languages as a view."""
    return Bilingual(words["id"], words["en"])


def _update(number: int, one: StatusUpdate) -> UpdateView:
    return UpdateView(number, one.at, str(one.state), bilingual(one.text))


def shown(incident: Incident) -> IncidentView:
    """Return the public view of an incident."""
    return IncidentView(
        id=incident.shown,
        kind=str(incident.kind),
        state=str(incident.state),
        severity=str(incident.severity),
        components={str(one): state.label for one, state in incident.components.items()},
        title=bilingual(incident.title),
        started_at=incident.started_at,
        begins_at=incident.begins_at,
        ends_at=incident.ends_at,
        resolved_at=incident.resolved_at,
        updates=[
            _update(number, one)
            for number, one in list(enumerate(incident.updates, start=1))[-UPDATES_SHOWN_MAX:]
        ],
    )


def in_order(incidents: Iterable[Incident]) -> list[Incident]:
    """Sort open incidents that have begun first, then announced maintenance, then past incidents; the newest of each first."""
    newest = sorted(incidents, key=lambda one: (one.started_at, one.id), reverse=True)
    return sorted(newest, key=lambda one: (not one.is_felt, not one.is_open))


def states_of(incidents: Sequence[Incident]) -> Mapping[Component, ComponentState]:
    """Return the state of each component: the worst state that an open incident which has begun gives it."""
    felt = [one for one in incidents if one.is_felt]
    return {
        component: worst(one.components[component] for one in felt if component in one.components)
        for component in Component
    }
