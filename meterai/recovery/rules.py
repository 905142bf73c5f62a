"""When a step has done its work, and when numbers are so bad that it goes back; pure.

Each step has gauges.  A gauge is good up to one bound and bad beyond another, and between the two it is neither:
a number that swings about one bound moves nothing.  A step goes on when all its gauges were good without a break for
`STEADY_SECONDS`, and back when one was bad without a break for `WORSE_SECONDS`.  Each time numbers lead back the next
way on takes twice as long, so that a step whose load brings the numbers down is not tried every minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf

from meterai.kit.backoff import pause
from meterai.recovery.model import LiveNumbers, RecoveryStep, StepEvent

WORSE_SECONDS = 15.0  # longer than a worker that is killed is away
STEADY_SECONDS_MAX = 600.0  # longer, and somebody of staff looks at it
STEADY_SECONDS: Mapping[RecoveryStep, float] = {
    RecoveryStep.CLOSING: 5.0,  # every process has looked at the line since
    RecoveryStep.STAMPINGS: 5.0,
    RecoveryStep.PAID: 10.0,
    RecoveryStep.CHECKING: 10.0,
    # People who were let in come to the stations where they wait within this time.
    RecoveryStep.BUYING: 30.0,
    RecoveryStep.SIGN_UP: 20.0,
}
# Longer than a seal and its lease: what is older is no work under way but work that is stuck.
STAMPING_SECONDS_GOOD, STAMPING_SECONDS_BAD = 120, 600
ORDER_SECONDS_GOOD, ORDER_SECONDS_BAD = 120, 600
JOB_SECONDS_GOOD, JOB_SECONDS_BAD = 5.0, 60.0
WAIT_SECONDS_GOOD = 300  # of the last in the line; a longer line is not short
PRESSURE_GOOD, PRESSURE_BAD = 0.8, 1.5
REFUSED_GOOD, REFUSED_BAD = 0.0, 5.0  # people who pay, a second


class StepVerdict(StrEnum):
    """What the numbers of a step say."""

    HOLDS = "holds"
    WAITS = "waits"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class StepGauge:
    """A number of a step: good up to `good`, bad beyond `bad`."""

    name: str
    good: float
    bad: float = inf

    def verdict(self, numbers: LiveNumbers) -> StepVerdict:
        """What this number says."""
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
_ISSUED = StepGauge("issuing_stopped", 0)  # staff stopped it: the way waits for them
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
    # What is paid has no bad bound here: a step that works off a night begins with old orders.
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
    """What the numbers say of a step: worse where one is bad, and it holds where all are good."""
    found = {one.verdict(numbers) for one in GAUGES[step]}
    if StepVerdict.WORSE in found:
        return StepVerdict.WORSE
    return StepVerdict.WAITS if StepVerdict.WAITS in found else StepVerdict.HOLDS


def steady_seconds(step: RecoveryStep, backs: int) -> float:
    """How long the numbers of a step must hold before it goes on by itself."""
    return pause(backs, first=STEADY_SECONDS[step], longest=STEADY_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Look:
    """Since when numbers hold, and since when they are worse, without a break; and what follows."""

    holds_since: datetime | None
    worse_since: datetime | None
    event: StepEvent | None = None


def _since(before: datetime | None, now: datetime) -> datetime:
    """A clock that was set back begins to count anew: nothing is older than it is."""
    return now if before is None or before > now else before


def look(step: RecoveryStep, verdict: StepVerdict, before: Look, backs: int, now: datetime) -> Look:
    """One look at the numbers of a step that goes by itself."""
    if verdict is StepVerdict.HOLDS:
        since = _since(before.holds_since, now)
        is_steady = (now - since).total_seconds() >= steady_seconds(step, backs)
        return Look(since, None, StepEvent.NEXT if is_steady else None)
    if verdict is StepVerdict.WORSE:
        since = _since(before.worse_since, now)
        is_lasting = (now - since).total_seconds() >= WORSE_SECONDS
        can_go_back = step is not RecoveryStep.CLOSING
        return Look(None, since, StepEvent.BACK if is_lasting and can_go_back else None)
    return Look(None, None)
