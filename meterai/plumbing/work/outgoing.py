"""Calls to outside machines: one circuit breaker and one retry budget for each provider.

Each call to a provider that does not answer lasts a whole time-out, and repeats double the load of the provider. So a
process

* opens the *circuit* to a provider when half of the recent calls had no answer, or, if there were few calls, when
  several in a row had none. While the circuit is open no call begins, and callers fail at once instead of after a
  time-out. After `PROBE_SECONDS` it is half-open, and a few calls probe the provider: the first answer closes the
  circuit, a missing answer opens it again;
* begins *repeats* of calls only up to a share of the number of recent first tries (always a few);
* has at most `UNDER_WAY_MAX` calls to one provider under way.

`NotBegun` means that nothing was sent, so the outcome is certain. A refusal is an answer too: only missing answers open
a circuit. Each process measures separately; nothing is stored.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from time import monotonic

import structlog

from meterai.kit.lifecycle import Lifecycle
from meterai.plumbing.observe import telemetry

WINDOW_SECONDS = 10  # older calls say nothing about now
CALLS_MIN = 5  # calls that ended within the window, below which their share is not used
SILENT_SHARE = 0.5  # share of calls without an answer at which the circuit opens
# With fewer calls in the window, the circuit opens after so many in a row without an answer, however long they took. If
# calls come one by one and each takes a time-out, the window never contains `CALLS_MIN`.
SILENT_IN_A_ROW = 3
SILENT_FOR_SECONDS = (
    60.0  # after which a missing answer says nothing; a web process calls only when somebody orders
)
# Time for which an open circuit lets no call through; recovery is noticed after it.
PROBE_SECONDS = 2.0
PROBES_MAX = 2  # calls under way while it is half-open
# As many connections as an adapter keeps: further calls would only wait for one.
UNDER_WAY_MAX = 100
# Share of the first tries in the window: so an outage causes a tenth more calls, not twice as many.
REPEATS_SHARE = 0.10
REPEATS_PER_SECOND = 10  # that may begin in any case, so that the last ones are not kept waiting
# Pause before a repeat that was not begun is tried again; spread over a range, so that not all come together.
REPEAT_SECONDS_MIN = 2
REPEAT_SECONDS_MAX = 8

_log = structlog.get_logger()


class CircuitState(StrEnum):
    """State of the circuit to a provider: whether calls begin."""

    CLOSED = "closed"  # calls are begun
    OPEN = "open"  # it does not answer: no call is begun
    HALF_OPEN = "half_open"  # a few calls test whether the provider answers again


class CircuitEvent(StrEnum):
    """Event that changes the state of a circuit."""

    SILENT_TOO_OFTEN = "silent_too_often"
    RESTED = "rested"  # `PROBE_SECONDS` are over
    PROBE_ANSWERED = "probe_answered"
    PROBE_SILENT = "probe_silent"


_S, _E = CircuitState, CircuitEvent
CIRCUIT = Lifecycle(
    "the circuit to a provider",
    {
        (_S.CLOSED, _E.SILENT_TOO_OFTEN): _S.OPEN,
        (_S.OPEN, _E.RESTED): _S.HALF_OPEN,
        (_S.HALF_OPEN, _E.PROBE_ANSWERED): _S.CLOSED,
        (_S.HALF_OPEN, _E.PROBE_SILENT): _S.OPEN,
    },
)


class NotBegun(Exception):
    """A call was not begun, so nothing was sent. It may be tried again after `seconds`."""

    def __init__(self, provider: str, reason: str, seconds: float) -> None:
        super().__init__(f"{provider} is not called: {reason}")
        self.reason = reason
        self.seconds = seconds


class CallTally:
    """Counts calls by kind over the last `WINDOW_SECONDS`, in steps of a second. A kind is an index below `kinds`."""

    def __init__(self, kinds: int) -> None:
        self._counts = [[0] * kinds for _ in range(WINDOW_SECONDS)]
        self._second = 0

    def add(self, kind: int, now: float) -> None:
        """Count one call of this kind at `now` (seconds)."""
        self._advance(int(now))
        self._counts[self._second % WINDOW_SECONDS][kind] += 1

    def sums(self, now: float) -> list[int]:
        """Return the number of calls over the last `WINDOW_SECONDS` by kind: the index in the list is the kind."""
        self._advance(int(now))
        return [sum(column) for column in zip(*self._counts, strict=True)]

    def clear(self) -> None:
        """Reset all counts."""
        for counts in self._counts:
            counts[:] = [0] * len(counts)

    def _advance(self, second: int) -> None:
        for passed in range(min(second - self._second, WINDOW_SECONDS)):
            counts = self._counts[(second - passed) % WINDOW_SECONDS]
            counts[:] = [0] * len(counts)
        self._second = max(self._second, second)


_ANSWERED, _SILENT = 0, 1
_FIRST, _REPEATED = 0, 1


class Circuit:
    """The circuit breaker of one provider. `now` is in seconds of a steady clock."""

    def __init__(self) -> None:
        self.state = CircuitState.CLOSED
        self._ended = CallTally(2)
        self._silent_in_a_row = 0
        self._opened_at = 0.0
        self._phase = 0  # number of times that the circuit became half-open
        self._probes = 0  # of this phase, that are under way

    def is_silent(self, now: float) -> bool:
        """True if the circuit opened within the last `SILENT_FOR_SECONDS` and has not closed since."""
        return self.state is not CircuitState.CLOSED and now - self._opened_at < SILENT_FOR_SECONDS

    def room(self, now: float) -> int | None:
        """Return how many calls to the provider may begin now; None if the circuit sets no bound."""
        if self.state is CircuitState.OPEN and now - self._opened_at >= PROBE_SECONDS:
            self._phase += 1
            self._probes = 0
            self._move(CircuitEvent.RESTED)
        match self.state:
            case CircuitState.CLOSED:
                return None
            case CircuitState.OPEN:
                return 0
            case CircuitState.HALF_OPEN:
                return PROBES_MAX - self._probes

    def begin(self) -> int:
        """Record that a call begins, after `room` showed that it may. Return the number of the current half-open phase if the
        call is a probe, else 0.
        """
        if self.state is not CircuitState.HALF_OPEN:
            return 0
        self._probes += 1
        return self._phase

    def ended(self, now: float, *, phase: int, is_answered: bool | None) -> None:
        """End a call; `phase` is what `begin` returned for it, and `is_answered` is None if the caller stopped waiting.
        A call that began before the last change of state is ignored.
        """
        if self.state is CircuitState.CLOSED and not phase and is_answered is not None:
            self._ended.add(_ANSWERED if is_answered else _SILENT, now)
            self._silent_in_a_row = 0 if is_answered else self._silent_in_a_row + 1
            if self._is_silent_too_often(now):
                self._opened_at = now
                self._move(CircuitEvent.SILENT_TOO_OFTEN)
        elif self.state is CircuitState.HALF_OPEN and phase == self._phase:
            self._probe_ended(now, is_answered=is_answered)

    def _is_silent_too_often(self, now: float) -> bool:
        answered, silent = self._ended.sums(now)
        calls = answered + silent
        if calls >= CALLS_MIN:
            return silent >= SILENT_SHARE * calls
        return self._silent_in_a_row >= SILENT_IN_A_ROW

    def _probe_ended(self, now: float, *, is_answered: bool | None) -> None:
        self._probes -= 1
        if is_answered:
            self._ended.clear()
            self._silent_in_a_row = 0
            self._move(CircuitEvent.PROBE_ANSWERED)
        elif is_answered is not None:
            self._opened_at = now
            self._move(CircuitEvent.PROBE_SILENT)

    def _move(self, event: CircuitEvent) -> None:
        self.state = CIRCUIT.after(self.state, event)


class RetryBudget:
    """Bounds how many repeats of calls to one provider may begin, by the number of recent first tries."""

    def __init__(self) -> None:
        self._begun = CallTally(2)

    def left(self, now: float) -> int:
        """Return how many repeats may begin now."""
        first, repeated = self._begun.sums(now)
        floor = REPEATS_PER_SECOND * WINDOW_SECONDS
        return max(0, int(floor + REPEATS_SHARE * first) - repeated)

    def count(self, now: float, *, is_repeat: bool) -> None:
        """Count a call that begins: a repeat, or a first try."""
        self._begun.add(_REPEATED if is_repeat else _FIRST, now)


class Outgoing:
    """Begins, counts and bounds the calls of this process to one provider. Safe to share between threads.

    `silence` are the exceptions that mean a missing answer.
    """

    def __init__(
        self,
        provider: str,
        *silence: type[Exception],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.provider = provider
        self.clock = clock
        self._silence = silence
        self._circuit = Circuit()
        self._budget = RetryBudget()
        self._under_way = 0
        self._changing = Lock()
        telemetry.CIRCUITS.labels(provider=provider, state=CircuitState.CLOSED).inc()

    @property
    def state(self) -> CircuitState:
        """The state of the circuit to the provider."""
        return self._circuit.state

    @property
    def is_silent(self) -> bool:
        """True if the circuit to the provider opened within the last `SILENT_FOR_SECONDS` and has not closed since."""
        return self._circuit.is_silent(self.clock())

    def room(self) -> int:
        """Return how many calls may begin now, so that a worker takes no more work than that."""
        with self._changing, self._showing():
            return self._room(self.clock())

    def _room(self, now: float) -> int:
        free = max(0, UNDER_WAY_MAX - self._under_way)
        few = self._circuit.room(now)
        return free if few is None else min(free, few)

    @contextmanager
    def call(self, *, is_repeat: bool = False) -> Iterator[None]:
        """Context manager around one call. The exception that the block raises, if any, shows whether the provider answered.
        Raises `NotBegun` if the call may not begin now.
        """
        phase = self._begin(is_repeat=is_repeat)
        is_answered: bool | None = None
        try:
            yield
            is_answered = True
        except self._silence:
            is_answered = False
            raise
        except Exception:
            is_answered = True  # an answer was read, even if it was wrong
            raise
        finally:  # if it was cancelled, `is_answered` is None
            self._end(phase, is_answered=is_answered)

    def _begin(self, *, is_repeat: bool) -> int:
        with self._changing, self._showing():
            now = self.clock()
            if not self._room(now):
                is_full = self._circuit.state is CircuitState.CLOSED
                raise self._not_begun("full" if is_full else "circuit", PROBE_SECONDS)
            # A probe repeats a call that had no answer; the circuit itself bounds probes.
            is_bounded = is_repeat and self._circuit.state is CircuitState.CLOSED
            if is_bounded and not self._budget.left(now):
                spread = secrets.randbelow(REPEAT_SECONDS_MAX - REPEAT_SECONDS_MIN + 1)
                raise self._not_begun("budget", float(REPEAT_SECONDS_MIN + spread))
            self._budget.count(now, is_repeat=is_repeat)
            telemetry.REPEATS_LEFT.labels(provider=self.provider).set(self._budget.left(now))
            self._under_way += 1
            return self._circuit.begin()

    def _not_begun(self, reason: str, seconds: float) -> NotBegun:
        telemetry.CALLS_NOT_BEGUN.labels(provider=self.provider, reason=reason).inc()
        return NotBegun(self.provider, reason, seconds)

    def _end(self, phase: int, *, is_answered: bool | None) -> None:
        with self._changing, self._showing():
            self._under_way -= 1
            self._circuit.ended(self.clock(), phase=phase, is_answered=is_answered)

    @contextmanager
    def _showing(self) -> Iterator[None]:
        """Context manager that logs a change of the circuit's state which happens in the block, and updates the metrics."""
        before = self._circuit.state
        try:
            yield
        finally:
            if (after := self._circuit.state) is not before:
                telemetry.CIRCUITS.labels(provider=self.provider, state=before).dec()
                telemetry.CIRCUITS.labels(provider=self.provider, state=after).inc()
                _log.warning("circuit", provider=self.provider, was=before, state=after)
