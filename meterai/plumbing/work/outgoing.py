"""Calls to outside machines: one circuit breaker and one retry budget for each provider.

A provider that does not answer costs each caller a whole time-out, and repeats double what it has
to do.  So a process

* opens the *circuit* to a provider when half of what ended lately had no answer, or, where calls are
  too few to have a share, several in a row: no call is begun then, and the caller gets at once what
  it would have got after a time-out.  After `PROBE_SECONDS` a few calls are let through (half-open):
  the first answer closes the circuit, silence opens it again;
* begins *repeats* of calls only up to a share of the first tries of late, with a small floor;
* has no more than `UNDER_WAY_MAX` calls to one provider under way.

What was not begun was not sent: `NotBegun` never makes an outcome unknown.  An answer is an answer,
also one that refuses: only silence opens a circuit.  Each process learns by itself; nothing is kept.
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

WINDOW_SECONDS = 10  # what is older says nothing about now
CALLS_MIN = 5  # that ended within the window, before their share means anything
SILENT_SHARE = 0.5  # of them without an answer: the circuit opens
# Where fewer ended, so many in a row without an answer open it, however long they took: of calls that
# come one by one the window never holds `CALLS_MIN`, where each takes a time-out.
SILENT_IN_A_ROW = 3
SILENT_FOR_SECONDS = (
    60.0  # after which a silence says nothing; a web process asks when somebody orders
)
PROBE_SECONDS = 2.0  # an open circuit lets nothing through; recovery is noticed so much later
PROBES_MAX = 2  # calls under way while it is half-open
UNDER_WAY_MAX = 100  # as many connections as an adapter keeps: more would only wait for one
REPEATS_SHARE = 0.10  # of the first tries in the window: an outage costs a tenth more, not twice
REPEATS_PER_SECOND = 10  # begun all the same, so that the last ones are not left waiting
# Until a repeat that was not begun is asked for again; spread, so that not all come together.
REPEAT_SECONDS_MIN = 2
REPEAT_SECONDS_MAX = 8

_log = structlog.get_logger()


class CircuitState(StrEnum):
    """Whether calls to a provider are begun."""

    CLOSED = "closed"  # calls are begun
    OPEN = "open"  # it does not answer: no call is begun
    HALF_OPEN = "half_open"  # a few calls find out whether it is back


class CircuitEvent(StrEnum):
    """What changes that."""

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
    """A call was not begun: nothing was sent.  It may be asked for again after so many seconds."""

    def __init__(self, provider: str, reason: str, seconds: float) -> None:
        super().__init__(f"{provider} is not asked: {reason}")
        self.reason = reason
        self.seconds = seconds


class CallTally:
    """Counts by kind over the last `WINDOW_SECONDS`, in steps of a second."""

    def __init__(self, kinds: int) -> None:
        self._counts = [[0] * kinds for _ in range(WINDOW_SECONDS)]
        self._second = 0

    def add(self, kind: int, now: float) -> None:
        """Count one."""
        self._advance(int(now))
        self._counts[self._second % WINDOW_SECONDS][kind] += 1

    def sums(self, now: float) -> list[int]:
        """How many there were of each kind."""
        self._advance(int(now))
        return [sum(column) for column in zip(*self._counts, strict=True)]

    def clear(self) -> None:
        """Forget everything."""
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
    """The circuit breaker of one provider.  `now` is in seconds of any clock that goes on."""

    def __init__(self) -> None:
        self.state = CircuitState.CLOSED
        self._ended = CallTally(2)
        self._silent_in_a_row = 0
        self._opened_at = 0.0
        self._phase = 0  # counts the times it was half-open
        self._probes = 0  # of this phase, under way

    def is_silent(self, now: float) -> bool:
        """True where it gave no answer of late; what was not asked since is not known any more."""
        return self.state is not CircuitState.CLOSED and now - self._opened_at < SILENT_FOR_SECONDS

    def room(self, now: float) -> int | None:
        """How many calls may begin; None where it sets no bound."""
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
        """A call begins for which there is room: the phase it is a probe of, 0 where it is none."""
        if self.state is not CircuitState.HALF_OPEN:
            return 0
        self._probes += 1
        return self._phase

    def ended(self, now: float, *, phase: int, is_answered: bool | None) -> None:
        """A call ended that `begin` gave this phase; `is_answered` is None where nobody waited for it.

        What began before the state changed says nothing any more.
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
    """How many repeats may begin beside the first tries of one provider."""

    def __init__(self) -> None:
        self._begun = CallTally(2)

    def left(self, now: float) -> int:
        """Repeats that may begin now."""
        first, repeated = self._begun.sums(now)
        floor = REPEATS_PER_SECOND * WINDOW_SECONDS
        return max(0, int(floor + REPEATS_SHARE * first) - repeated)

    def count(self, now: float, *, is_repeat: bool) -> None:
        """A call begins."""
        self._begun.add(_REPEATED if is_repeat else _FIRST, now)


class Outgoing:
    """Calls of this process to one provider.  Safe to share between threads.

    `silence` are the exceptions which say that no answer came.
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
        """The state of its circuit."""
        return self._circuit.state

    @property
    def is_silent(self) -> bool:
        """True where it gave this process no answer in the last minute."""
        return self._circuit.is_silent(self.clock())

    def room(self) -> int:
        """How many calls may begin now: what looks for work takes no more of it."""
        with self._changing, self._showing():
            return self._room(self.clock())

    def _room(self, now: float) -> int:
        free = max(0, UNDER_WAY_MAX - self._under_way)
        few = self._circuit.room(now)
        return free if few is None else min(free, few)

    @contextmanager
    def call(self, *, is_repeat: bool = False) -> Iterator[None]:
        """One call: what it raises says whether it was answered.  Raises `NotBegun`."""
        phase = self._begin(is_repeat=is_repeat)
        is_answered: bool | None = None
        try:
            yield
            is_answered = True
        except self._silence:
            is_answered = False
            raise
        except Exception:
            is_answered = True  # something was read, whatever is wrong with it
            raise
        finally:  # cancelled, it says nothing
            self._end(phase, is_answered=is_answered)

    def _begin(self, *, is_repeat: bool) -> int:
        with self._changing, self._showing():
            now = self.clock()
            if not self._room(now):
                is_full = self._circuit.state is CircuitState.CLOSED
                raise self._not_begun("full" if is_full else "circuit", PROBE_SECONDS)
            # A probe is a repeat of something that had no answer; the circuit itself bounds them.
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
        """Show a change of state that happens meanwhile."""
        before = self._circuit.state
        try:
            yield
        finally:
            if (after := self._circuit.state) is not before:
                telemetry.CIRCUITS.labels(provider=self.provider, state=before).dec()
                telemetry.CIRCUITS.labels(provider=self.provider, state=after).inc()
                _log.warning("circuit", provider=self.provider, was=before, state=after)
