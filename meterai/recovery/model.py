"""Types of a recovery: its steps, the order of the steps, its live numbers; pure."""

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
from meterai.kit.subjects import SubjectSort

RECOVERY_SUBJECT = SubjectSort("recovery", prefix="rcv")

KIND = "rcv"


class RecoveryStep(StrEnum):
    """State of a recovery: its current step, or how it ended."""

    CLOSING = "closing"  # buying and sign-up are closed
    STAMPINGS = "stampings"  # stampings under way are finished
    PAID = "paid"  # paid orders are executed, or their money goes back
    CHECKING = "checking"  # checking and downloads are open fully
    BUYING = "buying"  # people are let in at the rate at which they can be served
    SIGN_UP = "sign_up"  # new addresses can get an account again
    DONE = "done"
    ABANDONED = "abandoned"


class StepEvent(StrEnum):
    """Event of a recovery."""

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
    births={StepEvent.STARTED},
)


def is_at_or_after(state: RecoveryStep, step: RecoveryStep) -> bool:
    """True if a recovery in this state has reached `step`, so that everything that this step opens is open."""
    return state in WAY and WAY.index(state) >= WAY.index(step)


class RecoveryUnderWay(Refusal):
    """A recovery is already under way, and only one may be."""

    code = "recovery_under_way"

    def __init__(self, recovery: str = "") -> None:
        super().__init__(f"a recovery is already under way: {recovery}")
        self.recovery = recovery


class NoRecovery(Refusal):
    """No recovery is under way."""

    code = "no_recovery"
    status = 404


class IncidentNotNamed(Refusal):
    """The incident of the recovery must be named, because no incident or more than one is open."""

    code = "incident_not_named"
    status = 422


class OrderNotUnserved(Refusal):
    """The order is not both paid and waiting for its stamps, so this command does not refund it."""

    code = "order_not_unserved"

    def __init__(self, order: str) -> None:
        super().__init__(f"{order} is not a paid order that waits")
        self.order = order


refusal_of_constraint("recovery_goes_alone", RecoveryUnderWay)


class LiveNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Live numbers of an installation, from its tables; money in rupiah, times in seconds.

    buying_open, sign_up_open   0 while closed, else 1
    checking_closed    1 while the line for checking lets nobody in
    issuing_stopped    1 while no stamps are issued
    stampings          reserved stampings; `interrupted` of them are not being sealed by any process
    captured           captured payments that are not posted to their orders yet
    orders             paid orders that are not executed; for `past_due` of them the time to execute or refund is over
    refunds            open refunds; `refunds_past_due` of them are late
    waiting            people in the line for buying; the last of them must expect to wait `wait_seconds`
    pressure           mean wait as a share of the promised wait, at the station of a visit where this is highest
    refused            refused requests per second of people who pay or have paid
    job_seconds        delay of the oldest job for paid orders
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
        """1 while nobody is let in to buy, else 0."""
        return 1 - self.buying_open

    @property
    def sign_up_closed(self) -> int:
        """1 while no account can be made, else 0."""
        return 1 - self.sign_up_open

    @property
    def headroom(self) -> float:
        """Unused share of the capacity, from 0 to 1: 1 minus `pressure`, and at least 0."""
        return max(0.0, 1 - self.pressure)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery. Its live numbers have been good since `holds_since`, or bad since `worse_since`, without a break; a time is
    None if the numbers are not so now.
    """

    id: UUID
    incident: UUID
    state: RecoveryStep
    number: int
    is_going: bool
    before: Mapping[str, object]  # stored `gathering.Before`: the state that its end restores
    backs: int
    holds_since: datetime | None
    worse_since: datetime | None
    looked_at: datetime
    started_at: datetime
    moved_at: datetime
    ended_at: datetime | None

    @property
    def shown(self) -> str:
        """Public id of the recovery (`rcv_...`)."""
        return show(KIND, self.id)

    def waited_minutes(self, now: datetime) -> int:
        """Return the whole minutes that the recovery has been at its current step."""
        return max(0, int((now - self.moved_at).total_seconds() // 60))


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One move of a recovery: the new state, the event, the actor, and the live numbers at that moment."""

    number: int
    state: RecoveryStep
    event: StepEvent
    actor: str
    numbers: LiveNumbers
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """A recovery with the steps that it took so far, and the live numbers of the installation.

    `recovery` is None if there never was a recovery.
    """

    recovery: Recovery | None
    taken: Sequence[StepTaken]
    numbers: LiveNumbers
    at: datetime


def seconds_since(moment: datetime | None, now: datetime) -> int:
    """Return whole seconds since a moment, rounded up; 0 for None, and for a moment in the future."""
    return max(0, ceil((now - moment).total_seconds())) if moment else 0
