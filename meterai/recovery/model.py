"""A recovery: its steps, what may follow what, the numbers it looks at; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import ceil
from uuid import UUID

import msgspec

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal, refusal_of_constraint

KIND = "rcv"


class RecoveryStep(StrEnum):
    """State of a recovery: the step it is at, or how it ended."""

    CLOSING = "closing"  # buying and sign-up are closed, in order
    STAMPINGS = "stampings"  # those under way are finished
    PAID = "paid"  # what is paid is executed, or goes back
    CHECKING = "checking"  # checking and downloads are open fully
    BUYING = "buying"  # people come in by what can be served
    SIGN_UP = "sign_up"  # new addresses get an account again
    DONE = "done"
    ABANDONED = "abandoned"


class StepEvent(StrEnum):
    """An event in the life of a recovery."""

    STARTED = "started"
    NEXT = "next"
    BACK = "back"
    ABANDONED = "abandoned"


WAY = (
    RecoveryStep.CLOSING,
    RecoveryStep.STAMPINGS,
    RecoveryStep.PAID,
    RecoveryStep.CHECKING,
    RecoveryStep.BUYING,
    RecoveryStep.SIGN_UP,
    RecoveryStep.DONE,
)
STEPS = WAY[:-1]
RECOVERY = Lifecycle(
    "the recovery",
    {
        **{(here, StepEvent.NEXT): there for here, there in pairwise(WAY)},
        **{(here, StepEvent.BACK): there for there, here in pairwise(STEPS)},
        **{(here, StepEvent.ABANDONED): RecoveryStep.ABANDONED for here in STEPS},
    },
)


def has_come_to(state: RecoveryStep, step: RecoveryStep) -> bool:
    """True where what a step opens is open: at it, or past it."""
    return state in WAY and WAY.index(state) >= WAY.index(step)


class RecoveryUnderWay(Refusal):
    """A recovery is under way: there is one at a time."""

    code = "recovery_under_way"

    def __init__(self, recovery: str = "") -> None:
        super().__init__(f"{recovery} is under way")
        self.recovery = recovery


class NoRecovery(Refusal):
    """No recovery is under way."""

    code = "no_recovery"
    status = 404


class IncidentNotNamed(Refusal):
    """A recovery belongs to one incident, and there is none, or more than one."""

    code = "incident_not_named"
    status = 422


class OrderNotUnserved(Refusal):
    """The order is not one that was paid and waits: its money does not go back this way."""

    code = "order_not_unserved"

    def __init__(self, order: str) -> None:
        super().__init__(f"{order} is not paid and waiting")
        self.order = order


refusal_of_constraint("recovery_goes_alone", RecoveryUnderWay)


class LiveNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Live numbers of an installation, from its books; money in rupiah, times in seconds.

    buying_open, sign_up_open  0 while they are closed, else 1
    checking_closed    1 while the line before checking lets nobody in
    issuing_stopped    1 while no stamps are issued
    stampings          reserved, of which nobody is sealing `interrupted`
    captured           payments that are not booked to their orders yet
    orders             paid and not executed; `past_due` of them go back
    refunds            that have not ended; `refunds_past_due` are late
    waiting            people in the line before buying, of whom the last waits for `wait_seconds`
    pressure           the longest wait inside, as a share of what is promised
    refused            people who pay or have paid, told to come again, a second
    job_seconds        for how long the oldest work for what is paid is overdue
    """

    buying_open: int
    sign_up_open: int
    checking_closed: int
    issuing_stopped: int
    stampings: int
    interrupted: int
    stamping_seconds: int
    captured: int
    orders: int
    order_rupiah: int
    order_seconds: int
    past_due: int
    past_due_rupiah: int
    refunds: int
    refund_rupiah: int
    refunds_past_due: int
    waiting: int
    wait_seconds: int
    rate: float
    pressure: float
    refused: float
    job_seconds: float

    @property
    def buying_closed(self) -> int:
        """1 while nobody is let in to buy."""
        return 1 - self.buying_open

    @property
    def sign_up_closed(self) -> int:
        """1 while no account is made."""
        return 1 - self.sign_up_open

    @property
    def headroom(self) -> float:
        """The share of what can be served that nobody uses."""
        return max(0.0, 1 - self.pressure)


@dataclass(frozen=True, slots=True)
class Recovery:
    """One way back."""

    id: UUID
    incident: UUID
    state: RecoveryStep
    number: int
    is_going: bool
    before: Mapping[str, object]  # what it changes, as it was (`gathering.Before`)
    backs: int
    holds_since: datetime | None
    worse_since: datetime | None
    looked_at: datetime
    started_at: datetime
    moved_at: datetime
    ended_at: datetime | None

    @property
    def shown(self) -> str:
        """The number as people see it."""
        return show(KIND, self.id)

    def waited_minutes(self, now: datetime) -> int:
        """Whole minutes at this step."""
        return max(0, int((now - self.moved_at).total_seconds() // 60))


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step that a recovery took: where it came to, how, by whom, and the numbers of that moment."""

    number: int
    state: RecoveryStep
    event: StepEvent
    actor: str
    numbers: LiveNumbers
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """A recovery with its steps so far and the numbers of now; none where nothing was ever recovered."""

    recovery: Recovery | None
    taken: Sequence[StepTaken]
    numbers: LiveNumbers
    at: datetime


def seconds_since(moment: datetime | None, now: datetime) -> int:
    """Whole seconds from a moment to now, rounded up; 0 of none, and of one to come."""
    return max(0, ceil((now - moment).total_seconds())) if moment else 0
