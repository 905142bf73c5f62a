"""Every lifecycle, every pair of state and event."""

from enum import StrEnum

import pytest

from meterai.kit.lifecycle import NotAllowedNow
from scripts.lifecycles import LIFECYCLES, Drawn


@pytest.mark.parametrize("drawn", LIFECYCLES, ids=lambda drawn: drawn.title)
def test_every_pair_has_its_edge_or_is_refused(drawn: Drawn) -> None:
    edges = {(state, event): target for state, event, target in drawn.lifecycle.edges()}
    for state in drawn.states:
        for event in drawn.events:
            if (state, event) in edges:
                assert drawn.lifecycle.after(state, event) == edges[state, event]
                continue
            with pytest.raises(NotAllowedNow) as refused:
                drawn.lifecycle.after(state, event)
            assert refused.value.facts() == {
                "subject": drawn.lifecycle.subject,
                "state": state.value,
                "event": event.value,
            }


@pytest.mark.parametrize("drawn", LIFECYCLES, ids=lambda drawn: drawn.title)
def test_every_state_is_reached_and_every_event_happens(drawn: Drawn) -> None:
    first = next(iter(drawn.states))
    edges = list(drawn.lifecycle.edges())
    reached: set[StrEnum] = {first, *drawn.lifecycle.also_begins}
    for _ in drawn.states:
        reached |= {target for state, _, target in edges if state in reached}
    assert reached == set(drawn.states)
    assert {event for _, event, _ in edges} == set(drawn.events) - drawn.lifecycle.births


@pytest.mark.parametrize("drawn", LIFECYCLES, ids=lambda drawn: drawn.title)
def test_every_state_reaches_a_final_state(drawn: Drawn) -> None:
    edges = [
        edge
        for edge in drawn.lifecycle.edges()
        if edge[1] not in drawn.lifecycle.reopens
        and edge[0] != edge[2]  # a repeated event that keeps the state
    ]
    ending = set(drawn.states) - {state for state, _, _ in edges}
    assert bool(ending) == drawn.has_end
    if not drawn.has_end:
        return
    for _ in drawn.states:
        ending |= {state for state, _, target in edges if target in ending}
    assert ending == set(drawn.states)
