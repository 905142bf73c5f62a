"""Agreement of watchers: the state of a component by a majority of all watchers; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from meterai.incidents.model import WatchedComponent
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.readings import majority_of

FAULTS_MAX = 5  # named in the text of an incident


class MeasuredState(NamedTuple):
    """State of a component as one watcher measures it, the time since which it lasts, and the codes of its faults."""

    state: ComponentState
    since: datetime
    faults: Sequence[str] = ()


def agreed(
    readings: Sequence[Mapping[Component, MeasuredState]], watchers: int, now: datetime
) -> list[WatchedComponent]:
    """Return the components on whose state a majority of all watchers agrees; `watchers` is their number, answering or not.

    A state is agreed if a majority measures it or a worse state, and a majority measures it or a better state.  So a single
    lying watcher has no effect, and without a majority nothing is agreed.  `since` is the time from which a majority has seen
    the component working, if the agreed state is that it works, or else not working.  The faults are those that a majority of
    all watchers names.
    """
    need = majority_of(watchers)
    found = []
    for component in Component:
        said = [one[component] for one in readings if component in one]
        if len(said) < need:
            continue
        states = sorted((one.state for one in said), reverse=True)
        state = states[need - 1]
        if state != states[-need]:
            continue
        like = [one for one in said if (one.state > 0) == (state > 0)]
        since = sorted(one.since for one in like)[min(need, len(like)) - 1]
        named = Counter(fault for one in like for fault in set(one.faults))
        faults = sorted(fault for fault, times in named.items() if times >= need)
        told = " ".join(faults[:FAULTS_MAX])
        found.append(WatchedComponent(component, state, min(since, now), told, now, now))
    return found
