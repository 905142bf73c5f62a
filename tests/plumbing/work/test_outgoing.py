"""Circuit breaker and retry budget of one provider, with a clock that the test moves."""

from collections.abc import Callable

import pytest

from meterai.plumbing.work.outgoing import (
    PROBE_SECONDS,
    PROBES_MAX,
    REPEATS_PER_SECOND,
    REPEATS_SHARE,
    SILENT_IN_A_ROW,
    UNDER_WAY_MAX,
    WINDOW_SECONDS,
    CircuitState,
    NotBegun,
    Outgoing,
)

FLOOR = REPEATS_PER_SECOND * WINDOW_SECONDS


class Silence(Exception):
    """No answer came."""


class Refused(Exception):
    """A refusal, which is an answer too."""


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Line:
    """Calls to one provider."""

    def __init__(self) -> None:
        self.hands = Hands()
        self.outgoing = Outgoing("test", Silence, clock=self.hands)

    def call(self, outcome: type[Exception] | None = None, *, is_repeat: bool = False) -> bool:
        """Return True if the call was begun; it ends with this outcome."""
        try:
            with self.outgoing.call(is_repeat=is_repeat):
                if outcome is not None:
                    raise outcome
        except NotBegun:
            return False
        except (Silence, Refused):
            return True
        return True

    def state(self) -> CircuitState:
        return self.outgoing.state

    def is_silent(self) -> bool:
        return self.outgoing.is_silent

    def fall_silent(self) -> None:
        for _ in range(1000):
            self.call(Silence)
        assert self.state() == CircuitState.OPEN

    def pass_seconds(self, seconds: float) -> None:
        self.hands.now += seconds


@pytest.fixture
def line() -> Line:
    return Line()


def test_silent_provider_is_not_called(line: Line) -> None:
    line.fall_silent()
    assert not line.call()
    assert line.outgoing.room() == 0


@pytest.mark.parametrize("seconds", [0, 6, 3600])
def test_sequential_silent_calls_open_the_circuit(line: Line, seconds: float) -> None:
    for _ in range(SILENT_IN_A_ROW):
        assert line.state() == CircuitState.CLOSED
        line.pass_seconds(seconds)
        assert line.call(Silence)
    assert line.state() == CircuitState.OPEN


def test_silence_of_less_than_half_does_not_open_the_circuit(line: Line) -> None:
    for _ in range(20):
        for outcome in (None, None, Silence):
            assert line.call(outcome)


def test_refusal_counts_as_an_answer(line: Line) -> None:
    assert all(line.call(Refused) for _ in range(50))


def test_only_a_few_probes_begin(line: Line) -> None:
    line.fall_silent()
    line.pass_seconds(PROBE_SECONDS)
    assert line.outgoing.room() == PROBES_MAX
    probes = [line.outgoing.call() for _ in range(PROBES_MAX)]
    for probe in probes:
        probe.__enter__()
    assert line.outgoing.room() == 0
    assert not line.call()
    probes[0].__exit__(None, None, None)
    assert line.state() == CircuitState.CLOSED
    assert line.call()


def test_unanswered_probe_opens_the_circuit_again(line: Line) -> None:
    line.fall_silent()
    for _ in range(3):
        line.pass_seconds(PROBE_SECONDS)
        assert line.call(Silence)
        assert line.state() == CircuitState.OPEN
        assert not line.call()
    line.pass_seconds(PROBE_SECONDS)
    assert line.call()
    assert all(line.call() for _ in range(50))


def test_call_from_before_the_opening_does_not_change_the_circuit(line: Line) -> None:
    old = [line.outgoing.call() for _ in range(3)]
    for one in old:
        one.__enter__()
    line.fall_silent()
    old[0].__exit__(None, None, None)  # answer to a call from before the silence
    assert line.state() == CircuitState.OPEN
    line.pass_seconds(PROBE_SECONDS)
    probe = line.outgoing.call()
    probe.__enter__()
    old[1].__exit__(Silence, Silence(), None)
    old[2].__exit__(None, None, None)
    assert line.state() == CircuitState.HALF_OPEN
    probe.__exit__(Silence, Silence(), None)
    assert line.state() == CircuitState.OPEN


def test_concurrent_calls_are_bounded(line: Line) -> None:
    calls = [line.outgoing.call() for _ in range(UNDER_WAY_MAX)]
    for call in calls:
        call.__enter__()
    assert line.outgoing.room() == 0
    assert not line.call()
    calls[0].__exit__(None, None, None)
    assert line.outgoing.room() == 1
    assert line.call()


# -- repeats -----------------------------------------------------------------------------------


def test_repeats_are_limited_by_a_minimum_and_a_share(line: Line) -> None:
    first = 1000
    for _ in range(first):
        assert line.call()
    begun = sum(line.call(is_repeat=True) for _ in range(2 * first))
    assert begun == FLOOR + REPEATS_SHARE * first
    assert line.call()  # a first try always begins
    line.pass_seconds(WINDOW_SECONDS + 1)
    assert sum(line.call(is_repeat=True) for _ in range(2 * first)) == FLOOR


def test_refused_call_names_its_retry_time(line: Line) -> None:
    def refused(act: Callable[[], object]) -> NotBegun:
        with pytest.raises(NotBegun) as told:
            act()
        return told.value

    while line.call(is_repeat=True):
        pass
    again = refused(lambda: line.outgoing.call(is_repeat=True).__enter__())
    assert (again.reason, 2 <= again.seconds <= 8) == ("budget", True)
    line.fall_silent()
    away = refused(lambda: line.outgoing.call().__enter__())
    assert (away.reason, away.seconds) == ("circuit", PROBE_SECONDS)
