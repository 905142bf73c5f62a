"""Time of return to normal after a fault."""

from meterai_rehearsal.rehearsal.recovery import recovered_at, usual

STEP = "buy.stamp"


def seconds(
    took: list[float], ended: list[float] | None = None, **more: list[float]
) -> dict[str, list[float]]:
    return {f"took/{STEP}": took, f"ended/{STEP}": ended or [1.0] * len(took), **more}


def test_normal_state_is_that_before_the_fault() -> None:
    assert usual(seconds([1.0, 3.0, 50.0]), 2.0) == {STEP: 2.0}
    assert usual(seconds([1.0, 3.0]), 0.0) == {}


def test_recovery_is_begin_of_lasting_normal_state() -> None:
    took = [1.0] * 5 + [9.0, 1.0, 9.0] + [1.0] * 5
    assert recovered_at(seconds(took), 5.0, 5.5, 13.0) == 8.0


def test_fault_without_slowness_recovers_when_healed() -> None:
    assert recovered_at(seconds([1.0] * 12), 5.0, 6.5, 12.0) == 6.5


def test_lasting_slowness_has_no_recovery() -> None:
    assert recovered_at(seconds([1.0] * 5 + [9.0] * 5), 5.0, 5.0, 10.0) is None
    assert (
        recovered_at(seconds([9.0] * 5), 0.0, 0.0, 5.0) is None
    )  # nothing defines the normal state


def test_second_with_failure_is_not_normal() -> None:
    failed = [0.0] * 7 + [1.0] + [0.0] * 5
    assert recovered_at(seconds([1.0] * 13, failed=failed), 5.0, 5.0, 13.0) == 8.0


def test_second_without_ended_steps_is_ignored() -> None:
    ended = [1.0] * 5 + [0.0] * 4 + [1.0] * 4
    took = [1.0] * 5 + [0.0] * 4 + [9.0] + [1.0] * 3
    assert recovered_at(seconds(took, ended), 5.0, 5.0, 13.0) == 10.0


def test_other_mix_of_steps_is_no_slowness() -> None:
    kept = {
        "took/look.front": [0.1] * 5 + [0.0] * 5,
        "ended/look.front": [1.0] * 5 + [0.0] * 5,
        "took/buy.stamp": [4.0] * 10,
        "ended/buy.stamp": [2.0] * 10,
    }
    assert recovered_at(kept, 5.0, 5.0, 10.0) == 5.0
