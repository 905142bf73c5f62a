"""Rules of automatic moves: when the numbers of a step are good enough to move forward, or bad enough to move back; pure.

Each step has gauges. A gauge is good up to one bound, bad beyond a higher bound, and neither in between, so that a number that
swings around one of the bounds does not cause moves forward and back. A recovery moves forward when all gauges of its step were
good without a break for `STEADY_SECONDS`, and back when at least one gauge was bad without a break for `WORSE_SECONDS`. Each
automatic move back doubles the time for which the numbers must be good, so that a step whose load makes them bad is not tried
again every minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf

from meterai.kit.backoff import pause
from meterai.recovery.model import LiveNumbers, RecoveryStep, StepEvent

WORSE_SECONDS = 15.0  # longer than the time until a killed worker runs again
STEADY_SECONDS_MAX = 600.0  # longest required time; staff look at a longer one
STEADY_SECONDS: Mapping[RecoveryStep, float] = {
    RecoveryStep.CLOSING: 5.0,  # every process reads the state of the line within this time
    RecoveryStep.STAMPINGS: 5.0,
    RecoveryStep.PAID: 10.0,
    RecoveryStep.CHECKING: 10.0,
    # People who were let in reach the stations where they wait within this time.
    RecoveryStep.BUYING: 30.0,
    RecoveryStep.SIGN_UP: 20.0,
}
# Longer than sealing a document with its lease: older stampings are stuck.
STAMPING_SECONDS_GOOD, STAMPING_SECONDS_BAD = 120, 600
ORDER_SECONDS_GOOD, ORDER_SECONDS_BAD = 120, 600
JOB_SECONDS_GOOD, JOB_SECONDS_BAD = 5.0, 60.0
WAIT_SECONDS_GOOD = 300  # of the last person in the line: the longest wait that counts as short
PRESSURE_GOOD, PRESSURE_BAD = 0.8, 1.5
REFUSED_GOOD, REFUSED_BAD = 0.0, 5.0  # requests per second of people who pay or have paid


class StepVerdict(StrEnum):
    """Verdict on the live numbers of a recovery step."""

    HOLDS = "holds"
    WAITS = "waits"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class StepGauge:
    """A live number that a step waits for: good up to `good`, bad beyond `bad`."""

    name: str
    good: float
    bad: float = inf

    def verdict(self, numbers: LiveNumbers) -> StepVerdict:
        """Return the verdict of this gauge."""
        value: float = getattr(numbers, self.name)
        if value <= self.good:
            return StepVerdict.HOLDS
        return StepVerdict.WORSE if value > self.bad else StepVerdict.WAITS


# Bad if somebody opened buying or sign-up: going back closes them again.
_CLOSED = (StepGauge("buying_open", 0, 0), StepGauge("sign_up_open", 0, 0))
_STAMPED = (
    StepGauge("interrupted", 0, 200),
    StepGauge("stamping_seconds", STAMPING_SECONDS_GOOD, STAMPING_SECONDS_BAD),
)
# Never bad: staff stopped issuing, and the recovery waits for them.
_ISSUED = StepGauge("issuing_stopped", 0)
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
    # The gauges of paid orders have no bad bound here: after a night of outage, this step begins with old orders.
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
    """Return the verdict of a step: `worse` if a gauge is bad, `holds` if all are good, else `waits`."""
    found = {one.verdict(numbers) for one in GAUGES[step]}
    if StepVerdict.WORSE in found:
        return StepVerdict.WORSE
    return StepVerdict.WAITS if StepVerdict.WAITS in found else StepVerdict.HOLDS


def steady_seconds(step: RecoveryStep, backs: int) -> float:
    """Return the seconds for which the numbers of a step must be good before the recovery moves forward
    automatically; they double with each of the `backs` automatic moves back.
    """
    return pause(backs, first=STEADY_SECONDS[step], longest=STEADY_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Look:
    """Result of one look at the live numbers of a recovery step.

    It has the times since which the numbers are good or bad without a break (None if they are not), and the event that follows,
    if any.
    """

    holds_since: datetime | None
    worse_since: datetime | None
    event: StepEvent | None = None


def _span_begin(before: datetime | None, now: datetime) -> datetime:
    """Return the beginning of a span without a break: `before`, or `now` if a span begins. If the clock was set back, the span
    starts again now.
    """
    return now if before is None or before > now else before


def look(step: RecoveryStep, verdict: StepVerdict, before: Look, backs: int, now: datetime) -> Look:
    """Return the result of a look at the live numbers of a step, after the look `before`, for automatic moves."""
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
