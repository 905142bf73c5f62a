"""Published facts of a watcher: shown components, figures, incidents of the platform, notes of staff; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from meterai.kit.components import Component, ComponentState, worst
from meterai.kit.outside import FromOutside

ENDED = frozenset({"resolved", "reviewed", "ended", "cancelled"})
INCIDENTS_MAX = 50
_Bounds = msgspec.Meta(
    ge=-(10**15), le=10**15
)  # of a figure; a larger one is an error of the platform
_Figure = Annotated[int, _Bounds] | Annotated[float, _Bounds] | None
_Text = Annotated[str, msgspec.Meta(max_length=4_000)]
Texts = dict[str, _Text]


class PlatformUpdate(FromOutside, frozen=True):
    """One update of an incident, as the platform publishes it."""

    at: datetime
    state: str
    text: Texts
    number: int = 0  # within the incident; the platform publishes the newest updates


class PlatformIncident(FromOutside, frozen=True):
    """An incident or a maintenance, as the platform publishes it."""

    id: str
    kind: Literal["incident", "maintenance"]
    state: str
    severity: str
    components: dict[Component, str]
    title: Texts
    started_at: datetime
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    resolved_at: datetime | None = None
    updates: Sequence[PlatformUpdate] = ()

    @property
    def is_open(self) -> bool:
        """True until the incident is over."""
        return self.state not in ENDED

    def state_of(self, component: Component) -> ComponentState:
        """Return the state that the incident claims for a component now; operational if it claims none."""
        begun = self.kind == "incident" or self.state == "under_way"
        if not (self.is_open and begun and component in self.components):
            return ComponentState.OPERATIONAL
        try:
            return ComponentState.of(self.components[component])
        except ValueError:
            return ComponentState.DEGRADED


class PlatformStatus(FromOutside, frozen=True):
    """Answer of `GET /v1/status`."""

    at: datetime
    figures: dict[str, _Figure] = msgspec.field(default_factory=dict)
    incidents: Annotated[Sequence[PlatformIncident], msgspec.Meta(max_length=INCIDENTS_MAX)] = ()


def read_status(found: Any) -> PlatformStatus | None:
    """Parse the platform's status; None if its form is unknown."""
    try:
        return msgspec.convert(found, PlatformStatus)
    except msgspec.ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class WatcherNote:
    """Note that staff typed at the watcher; a `state` other than `operational` makes the shown state worse."""

    id: int
    at: datetime
    component: Component
    state: ComponentState
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """One component: the measured state that a majority agrees on, and the state shown.

    `measured_at` is the time at which a majority last measured it; None if a majority never did.
    """

    component: Component
    agreed: ComponentState
    shown: ComponentState
    since: datetime
    measured_at: datetime | None
    is_measured: bool


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A change of a component's agreed state, with the codes of the faults that the watcher saw before it."""

    id: int
    at: datetime
    component: Component
    was: ComponentState
    becomes: ComponentState
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Published:
    """Content of all static files of a watcher at one moment."""

    at: datetime
    watcher: str
    installation: str
    title: str
    url: str
    alone: bool
    components: Sequence[ShownComponent]
    changes: Sequence[ComponentChange]
    notes: Sequence[WatcherNote]
    status: PlatformStatus | None  # last status that the platform published
    stamped: Sequence[
        float
    ]  # seconds from paid to stamped, measured in the last hour; shortest first
    days: Mapping[Component, Mapping[str, Mapping[ComponentState, int]]]

    @property
    def worst(self) -> ComponentState:
        """The worst shown state of all components."""
        return worst(one.shown for one in self.components)

    @property
    def is_all_measured(self) -> bool:
        """True if each component that was ever measured is measured now."""
        return all(one.is_measured for one in self.components if one.measured_at is not None)


def made_worse(
    component: Component,
    agreed: ComponentState,
    notes: Sequence[WatcherNote],
    status: PlatformStatus | None,
) -> ComponentState:
    """Return the state of a component to show: the worst of the agreed state, of its newest note of staff, and of incidents."""
    said = next((one.state for one in notes if one.component == component), agreed)
    told = [one.state_of(component) for one in status.incidents] if status else []
    return worst([agreed, said, *told])


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which a share of the ordered values lies; None if there are no values."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None
