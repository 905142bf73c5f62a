"""Agreement of watchers: a majority of all of them decides, present or not; a minority changes nothing."""

from itertools import product

import pytest

from meterai.kit.components import ComponentState
from meterai.plumbing.readings import majority_of
from meterai.watch.rule import agreed

UP, SLOW, DOWN = (
    ComponentState.OPERATIONAL,
    ComponentState.DEGRADED,
    ComponentState.MAJOR_OUTAGE,
)
Votes = list[ComponentState | None]


@pytest.mark.parametrize(
    ("last", "votes", "watchers", "found"),
    [
        (UP, [DOWN], 1, DOWN),
        (UP, [None], 1, None),
        (UP, [UP, UP, DOWN], 3, UP),
        (DOWN, [DOWN, DOWN, UP], 3, DOWN),
        (UP, [DOWN, DOWN, UP], 3, DOWN),
        (UP, [SLOW, DOWN], 3, SLOW),
        (UP, [UP, DOWN], 3, UP),
        (DOWN, [UP, DOWN], 3, DOWN),
        (UP, [DOWN], 3, None),
        (UP, [DOWN, DOWN], 4, None),
        (UP, [DOWN, None, None], 3, None),
        (UP, [DOWN, SLOW, SLOW], 5, SLOW),
        (DOWN, [SLOW, SLOW, UP, UP, DOWN], 5, SLOW),
    ],
)
def test_agreed_state_is_that_of_a_majority_of_all(
    last: ComponentState, votes: Votes, watchers: int, found: ComponentState | None
) -> None:
    assert agreed(last, votes, watchers) is found


@pytest.mark.parametrize("watchers", [3, 4, 5])
def test_minority_that_lies_or_is_silent_changes_nothing(watchers: int) -> None:
    liars = watchers - majority_of(watchers)
    for truth, last in product((UP, SLOW, DOWN), repeat=2):
        honest: Votes = [truth] * (watchers - liars)
        for lies in product((UP, SLOW, DOWN, None), repeat=liars):
            assert agreed(last, [*honest, *lies], watchers) is truth
