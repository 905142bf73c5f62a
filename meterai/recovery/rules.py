"""Rules of automatic moves: when the numbers of a step are good enough to continue, and bad enough to go back; pure.

Each step has gauges. A gauge is good up to one bound and bad beyond another, and neither in between: a number that
swings about one bound moves nothing. A step continues when all its gauges were good without a break for
`STEADY_SECONDS`, and goes back when one was bad without a break for `WORSE_SECONDS`. Each automatic move back doubles
the time before the next move forward, so that a step whose load worsens the numbers is not tried every minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf

from meterai.kit.backoff import pause
from meterai.recovery.model import LiveNumbers, RecoveryStep, StepEvent

WORSE_SECONDS = 15.0  # longer than the absence of a killed worker
STEADY_SECONDS_MAX = 600.0  # after a longer time staff look at it
STEADY_SECONDS: Mapping[RecoveryStep, float] = {
    RecoveryStep.CLOSING: 5.0,  # every process has read the state of the line since
    RecoveryStep.STAMPINGS: 5.0,
    RecoveryStep.PAID: 10.0,
    RecoveryStep.CHECKING: 10.0,
    # People who were let in reach the stations where they wait within this time.
    RecoveryStep.BUYING: 30.0,
    RecoveryStep.SIGN_UP: 20.0,
}
# Longer than a seal and its lease: older work is stuck.
STAMPING_SECONDS_GOOD, STAMPING_SECONDS_BAD = 120, 600
ORDER_SECONDS_GOOD, ORDER_SECONDS_BAD = 120, 600
JOB_SECONDS_GOOD, JOB_SECONDS_BAD = 5.0, 60.0
WAIT_SECONDS_GOOD = 300  # of the last person in the line; a longer line is not short
PRESSURE_GOOD, PRESSURE_BAD = 0.8, 1.5
REFUSED_GOOD, REFUSED_BAD = 0.0, 5.0  # requests per second of people who pay


class StepVerdict(StrEnum):
    """Verdict of the numbers of a step."""

    HOLDS = "holds"
    WAITS = "waits"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class StepGauge:
    """Number of a step: good up to `good`, bad beyond `bad`."""

    name: str
    good: float
    bad: float = inf

    def verdict(self, numbers: LiveNumbers) -> StepVerdict:
        """Return the verdict of this number."""
        value: float = getattr(numbers, self.name)
        if value <= self.good:
            return StepVerdict.HOLDS
        return StepVerdict.WORSE if value > self.bad else StepVerdict.WAITS


_CLOSED = (
    StepGauge("buying_open", 0, 0),
    StepGauge("sign_up_open", 0, 0),
)  # somebody opened it: closed again
_STAMPED = (
    StepGauge("interrupted", 0, 200),
    StepGauge("stamping_seconds", STAMPING_SECONDS_GOOD, STAMPING_SECONDS_BAD),
)
_ISSUED = StepGauge("issuing_stopped", 0)  # staff stopped it: the recovery waits for them
_SERVED = (
    _ISSUED,
    StepGauge("checking_closed", 0),
    StepGauge("job_seconds", JOB_SECONDS_GOOD, JOB_SECONDS_BAD),
    StepGauge("order_seconds", ORDER_SECONDS_GOOD, ORDER_SECONDS_BAD),
)
_ROOM = (
    StepGauge("pressure", PRESSURE_GOOD, PRESSURE_BAD),
    StepGauge("refused", REFUSED_GOOD, REFUSED_BAD),
)
GAUGES: Mapping[RecoveryStep, Sequence[StepGauge]] = {
    RecoveryStep.CLOSING: (StepGauge("buying_open", 0), StepGauge("sign_up_open", 0)),
    RecoveryStep.STAMPINGS: (
        *_CLOSED,
        StepGauge("interrupted", 0),
        StepGauge("stamping_seconds", STAMPING_SECONDS_GOOD),
    ),
    # Paid orders have no bad bound here: a step that works off a night begins with old orders.
    RecoveryStep.PAID: (
        *_CLOSED,
        _STAMPED[0],
        _ISSUED,
        StepGauge("captured", 0),
        StepGauge("order_seconds", ORDER_SECONDS_GOOD),
        StepGauge("past_due", 0),
        StepGauge("refunds_past_due", 0),
        StepGauge("job_seconds", JOB_SECONDS_GOOD),
    ),
    RecoveryStep.CHECKING: (*_CLOSED, *_STAMPED, *_SERVED, *_ROOM),
    RecoveryStep.BUYING: (
        StepGauge("buying_closed", 0),
        StepGauge("wait_seconds", WAIT_SECONDS_GOOD),
        *_STAMPED,
        *_SERVED,
        *_ROOM,
    ),
    RecoveryStep.SIGN_UP: (
        StepGauge("sign_up_closed", 0),
        StepGauge("buying_closed", 0),
        *_STAMPED,
        *_SERVED,
        *_ROOM,
    ),
}


def verdict_of(step: RecoveryStep, numbers: LiveNumbers) -> StepVerdict:
    """Return the verdict of a step: worse if one gauge is bad, holds if all are good."""
    found = {one.verdict(numbers) for one in GAUGES[step]}
    if StepVerdict.WORSE in found:
        return StepVerdict.WORSE
    return StepVerdict.WAITS if StepVerdict.WAITS in found else StepVerdict.HOLDS


def steady_seconds(step: RecoveryStep, backs: int) -> float:
    """Return the seconds for which the numbers of a step must be good before it continues automatically."""
    return pause(backs, first=STEADY_SECONDS[step], longest=STEADY_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Look:
    """Times since which numbers are good or bad without a break, and the event that follows."""

    holds_since: datetime | None
    worse_since: datetime | None
    event: StepEvent | None = None


def _span_begin(before: datetime | None, now: datetime) -> datetime:
    """Return the begin of a span; a clock that was set back starts again."""
    return now if before is None or before > now else before


def look(step: RecoveryStep, verdict: StepVerdict, before: Look, backs: int, now: datetime) -> Look:
    """Evaluate the numbers of a step that moves automatically."""
    if verdict is StepVerdict.HOLDS:
        since = _span_begin(before.holds_since, now)
        is_steady = (now - since).total_seconds() >= steady_seconds(step, backs)
        return Look(since, None, StepEvent.NEXT if is_steady else None)
    if verdict is StepVerdict.WORSE:
        since = _span_begin(before.worse_since, now)
        is_lasting = (now - since).total_seconds() >= WORSE_SECONDS
        can_go_back = step is not RecoveryStep.CLOSING
        return Look(None, since, StepEvent.BACK if is_lasting and can_go_back else None)
    return Look(None, None)
