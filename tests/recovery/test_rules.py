"""Rules of recovery: conditions of a step, of the move forward, and of the move back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from meterai.recovery.model import (
    STEPS,
    LiveNumbers,
    RecoveryStep,
    StepEvent,
    is_at_or_after,
)
from meterai.recovery.rules import (
    STEADY_SECONDS,
    WORSE_SECONDS,
    Look,
    StepVerdict,
    look,
    verdict_of,
)

NOW = datetime(2024, 9, 3, 14, 0, tzinfo=UTC)
NOTHING = Look(None, None)
CALM = LiveNumbers(
    **dict.fromkeys(
        (name for name in LiveNumbers.__struct_fields__ if name not in ("rate", "pressure")), 0
    ),
    rate=5.0,
    pressure=0.1,
)


def numbers(**found: float) -> LiveNumbers:
    return msgspec.structs.replace(CALM, **found)


def opened(step: RecoveryStep) -> LiveNumbers:
    """Calm numbers, with everything open that a step opens."""
    return numbers(
        buying_open=int(is_at_or_after(step, RecoveryStep.BUYING)),
        sign_up_open=int(is_at_or_after(step, RecoveryStep.SIGN_UP)),
    )


@pytest.mark.parametrize("step", STEPS)
def test_calm_numbers_are_good_at_every_step(step: RecoveryStep) -> None:
    assert verdict_of(step, opened(step)) is StepVerdict.HOLDS


CASES = (
    (RecoveryStep.CLOSING, {"buying_open": 1}, StepVerdict.WAITS),
    (RecoveryStep.CLOSING, {"sign_up_open": 1}, StepVerdict.WAITS),
    (RecoveryStep.STAMPINGS, {"interrupted": 1}, StepVerdict.WAITS),
    (RecoveryStep.STAMPINGS, {"stampings": 40, "stamping_seconds": 119}, StepVerdict.HOLDS),
    (RecoveryStep.STAMPINGS, {"buying_open": 1}, StepVerdict.WORSE),
    (RecoveryStep.PAID, {"captured": 1}, StepVerdict.WAITS),
    (RecoveryStep.PAID, {"orders": 20_000, "order_seconds": 7_200}, StepVerdict.WAITS),
    (RecoveryStep.PAID, {"past_due": 1}, StepVerdict.WAITS),
    (RecoveryStep.PAID, {"issuing_stopped": 1}, StepVerdict.WAITS),
    (RecoveryStep.PAID, {"interrupted": 200}, StepVerdict.WAITS),
    (RecoveryStep.PAID, {"interrupted": 201}, StepVerdict.WORSE),
    (RecoveryStep.CHECKING, {"checking_closed": 1}, StepVerdict.WAITS),
    (RecoveryStep.CHECKING, {"issuing_stopped": 1}, StepVerdict.WAITS),
    (RecoveryStep.CHECKING, {"pressure": 1.0}, StepVerdict.WAITS),
    (RecoveryStep.CHECKING, {"pressure": 1.6}, StepVerdict.WORSE),
    (RecoveryStep.BUYING, {"refused": 1.0}, StepVerdict.WAITS),
    (RecoveryStep.BUYING, {"refused": 6.0}, StepVerdict.WORSE),
    (RecoveryStep.BUYING, {"wait_seconds": 4_000}, StepVerdict.WAITS),
    (RecoveryStep.BUYING, {"buying_open": 0}, StepVerdict.WAITS),
    (RecoveryStep.BUYING, {"issuing_stopped": 1}, StepVerdict.WAITS),
    (RecoveryStep.BUYING, {"job_seconds": 30.0}, StepVerdict.WAITS),
    (RecoveryStep.BUYING, {"job_seconds": 61.0}, StepVerdict.WORSE),
    (RecoveryStep.SIGN_UP, {"order_seconds": 601}, StepVerdict.WORSE),
    (RecoveryStep.SIGN_UP, {"issuing_stopped": 1}, StepVerdict.WAITS),
    (RecoveryStep.SIGN_UP, {"sign_up_open": 0}, StepVerdict.WAITS),
    # Staff closed again what an earlier step had opened.
    (RecoveryStep.BUYING, {"checking_closed": 1}, StepVerdict.WAITS),
    (RecoveryStep.SIGN_UP, {"checking_closed": 1}, StepVerdict.WAITS),
    (RecoveryStep.SIGN_UP, {"buying_open": 0}, StepVerdict.WAITS),
)


@pytest.mark.parametrize(("step", "found", "verdict"), CASES)
def test_verdict_of_a_step_follows_its_gauges(
    step: RecoveryStep, found: dict[str, float], verdict: StepVerdict
) -> None:
    assert verdict_of(step, msgspec.structs.replace(opened(step), **found)) is verdict


def looks(
    step: RecoveryStep, verdicts: str, backs: int = 0, every: float = 2.0
) -> list[StepEvent | None]:
    """Return the event of each look: h holds, - waits, w worse."""
    found, state = [], NOTHING
    named = {"h": StepVerdict.HOLDS, "-": StepVerdict.WAITS, "w": StepVerdict.WORSE}
    for number, one in enumerate(verdicts):
        state = look(step, named[one], state, backs, NOW + timedelta(seconds=number * every))
        found.append(state.event)
    return found


@pytest.mark.parametrize("step", STEPS)
def test_step_continues_after_good_numbers_without_a_break(step: RecoveryStep) -> None:
    needed = int(STEADY_SECONDS[step] // 2 + (STEADY_SECONDS[step] % 2 > 0))
    found = looks(step, "h" * (needed + 1))
    assert found == [None] * needed + [StepEvent.NEXT]
    assert not any(looks(step, ("h" * needed + "-") * 3))


def test_numbers_that_swing_move_nothing() -> None:
    assert not any(looks(RecoveryStep.BUYING, "hhhw" * 50))
    assert not any(looks(RecoveryStep.BUYING, "w-" * 50))


def test_lasting_bad_numbers_move_back() -> None:
    lasting = int(WORSE_SECONDS // 2) + 1
    assert looks(RecoveryStep.BUYING, "w" * (lasting + 1))[-1] is StepEvent.BACK
    assert not any(looks(RecoveryStep.BUYING, "w" * lasting))
    assert not any(looks(RecoveryStep.CLOSING, "w" * 100))


def test_clock_set_back_restarts_the_count_and_moves_nothing() -> None:
    before = Look(NOW + timedelta(hours=1), None)
    found = look(RecoveryStep.PAID, StepVerdict.HOLDS, before, 0, NOW)
    assert (found.holds_since, found.event) == (NOW, None)
    later = look(RecoveryStep.PAID, StepVerdict.HOLDS, found, 0, NOW + timedelta(seconds=10))
    assert later.event is StepEvent.NEXT
