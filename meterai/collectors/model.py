"""Collectors, their months, their draws on credit and their deposits to the treasury; pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.days import Month
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import CommandRefusal, Refusal, refusal_of_database

DEPOSIT_KIND = "cdp"
UNSTAMPED_KIND = "uns"
METHOD = "credit"  # payment method of an order on credit
DEPOSIT_CODE = "411411-902"  # codes of tax and deposit for a collector's duty at the treasury
REMINDER_DAYS = (1, 10, 14, 18)  # days of the next month


class CollectorState(StrEnum):
    """State of a collector."""

    OPEN = "open"
    CLOSED = "closed"  # draws no more; its debt is still to be deposited


class CollectorEvent(StrEnum):
    """Event of a collector."""

    CLOSED = "closed"  # by staff
    APPROVED = "approved"  # by staff, after it was closed


COLLECTOR = Lifecycle(
    "the collector",
    {
        (CollectorState.OPEN, CollectorEvent.CLOSED): CollectorState.CLOSED,
        (CollectorState.CLOSED, CollectorEvent.APPROVED): CollectorState.OPEN,
    },
    reopens={CollectorEvent.APPROVED},
)


class DrawState(StrEnum):
    """State of a draw on a collector's credit; the order that it pays has a state of its own."""

    WAITING = "waiting"
    TAKEN = "taken"
    ENDED = "ended"


class DrawEvent(StrEnum):
    """Event of a draw on a collector's credit."""

    TAKEN = "taken"
    ENDED = "ended"


DRAW = Lifecycle(
    "the draw",
    {
        (DrawState.WAITING, DrawEvent.TAKEN): DrawState.TAKEN,
        (DrawState.WAITING, DrawEvent.ENDED): DrawState.ENDED,
    },
)


class DepositState(StrEnum):
    """State of a deposit to the treasury by a collector."""

    TOLD = "told"  # reported by the collector
    CONFIRMED = "confirmed"  # by staff
    WITHDRAWN = "withdrawn"  # by the collector, since the report was wrong


class DepositEvent(StrEnum):
    """Event of a deposit to the treasury by a collector."""

    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


DEPOSIT = Lifecycle(
    "the deposit to the treasury",
    {
        (DepositState.TOLD, DepositEvent.CONFIRMED): DepositState.CONFIRMED,
        (DepositState.TOLD, DepositEvent.WITHDRAWN): DepositState.WITHDRAWN,
    },
)


class MonthStanding(StrEnum):
    """State of a month of a collector: whether its duty is deposited and its tax return filed."""

    RUNNING = "running"
    DUE = "due"  # the month is over, and part of its duty is not deposited
    OVERDUE = "overdue"  # the same, after the last day to deposit
    DEPOSITED = "deposited"  # nothing is left to deposit; the return is not reported
    REPORTED = "reported"  # nothing is left to deposit, and the return is reported


class NoCollector(Refusal):
    """The account is not a collector, or no longer a collector."""

    code = "no_collector"
    status = 404


class CreditBeyondLimit(Refusal):
    """The order is larger than the monthly limit of the collector, so its draw could never be taken."""

    code = "credit_beyond_limit"
    status = 422

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"the limit of a month is {limit} rupiah")
        self.limit = str(Rupiah(limit))


class AlreadyCollector(CommandRefusal):
    """The organization is a collector already."""

    code = "already_collector"
    status = 409


@refusal_of_database
class DepositBeyondDue(Refusal):
    """The deposit is larger than the open duty of its month."""

    code = "deposit_beyond_due"
    status = 422

    def __init__(self, *, due: int) -> None:
        super().__init__(f"{due} rupiah are due")
        self.due = str(Rupiah(due))


@refusal_of_database
class NtpnUsed(Refusal):
    """The state's receipt (NTPN) belongs to another deposit already."""

    code = "ntpn_used"
    status = 409


class NtpnDiffers(CommandRefusal):
    """The facts of the deposit that staff confirm differ from those that the collector reported under the same receipt
    (NTPN).
    """

    code = "ntpn_differs"
    status = 409


class MonthRuns(Refusal):
    """The month is not over: it cannot be reported to the tax office yet."""

    code = "month_runs"
    status = 409


class MonthNotNil(Refusal):
    """The month has stampings, draws or documents, so it cannot be stated that there is nothing to report."""

    code = "month_not_nil"
    status = 409


class CollectorTerms(NamedTuple):
    """Terms agreed by staff and a collector."""

    name: str
    npwp: str
    nitku: str
    limit_rupiah: int


class Collector(NamedTuple):
    """A collector with its current terms."""

    account: UUID
    state: CollectorState
    approved_at: datetime
    closed_at: datetime | None
    name: str
    npwp: str
    nitku: str
    limit_rupiah: int


class AgreedLimit(NamedTuple):
    """Terms agreed by staff and a collector, and the time of the agreement."""

    set_at: datetime
    name: str
    npwp: str
    limit_rupiah: int


class DepositToConfirm(NamedTuple):
    """A deposit that a collector reported and staff have not confirmed."""

    account: UUID
    name: str
    ntpn: str
    month: date
    amount: int
    told_at: datetime


class DrawsWaiting(NamedTuple):
    """Draws of a collector that wait for credit: number, rupiah, time of the oldest; and the monthly limit in rupiah."""

    account: UUID
    name: str
    draws: int
    rupiah: int
    limit_rupiah: int
    since: datetime


class MonthOpen(NamedTuple):
    """A month of a collector whose duty is not fully deposited."""

    account: UUID
    name: str
    month: date
    open: int


class MonthDue(NamedTuple):
    """Sums of a collector's month in rupiah: drawn on credit, given back by orders, deposited, and duty still to be deposited
    (`open`).  A `surplus` reduces the duty of later months.
    """

    month: date
    drawn: int
    returned: int
    deposited: int
    open: int
    surplus: int


class Draw(NamedTuple):
    """Amount and state of a draw on a collector's credit, as the rail `credit` needs them."""

    amount: int
    state: DrawState


class WaitingDraws(NamedTuple):
    """Number and rupiah of the draws of a collector that wait for credit."""

    draws: int
    rupiah: int


class OfCollector(NamedTuple):
    """Account of a collector."""

    account: UUID


class CollectorDeposit(NamedTuple):
    """A deposit to the treasury."""

    id: UUID
    ntpn: str
    month: date
    amount: int
    paid_on: date
    state: DepositState
    told_at: datetime


class MonthReport(NamedTuple):
    """Filed tax return of a month."""

    month: date
    receipt: str
    reported_on: date


class Unstamped(NamedTuple):
    """A document that could not be stamped, as its collector states it."""

    id: UUID
    type: str
    number: str
    dated: date
    value: int
    party_name: str
    identity_kind: str
    identity_number: str
    happened_at: datetime
    reason: str


class ListedStamping(NamedTuple):
    """A stamping, with the facts of its document that the law demands; a fact that nobody stated is None."""

    stamping: UUID
    at: datetime
    document: str
    state: str
    refused: str | None
    quantity: int
    serials: list[str]
    type: str | None
    number: str | None
    dated: date | None
    value: int | None
    party_name: str | None
    identity_kind: str | None
    identity_number: str | None


@dataclass(frozen=True, slots=True)
class Dates:
    """Last days to deposit the duty of a month and to file its tax return; `..._day` are days of the next month."""

    month: Month
    deposit_day: int
    report_day: int

    @property
    def deposit_by(self) -> date:
        """Last day to deposit the duty of the month."""
        return self.month.next.first.replace(day=self.deposit_day)

    @property
    def report_by(self) -> date:
        """Last day to file the tax return of the month."""
        return self.month.next.first.replace(day=self.report_day)

    def standing(self, today: date, open_rupiah: int, *, is_reported: bool) -> MonthStanding:
        """Return the state of the month on the day `today`; `open_rupiah` is the duty that is not deposited."""
        if today < self.month.next.first:
            return MonthStanding.RUNNING
        if open_rupiah:
            return MonthStanding.OVERDUE if today > self.deposit_by else MonthStanding.DUE
        return MonthStanding.REPORTED if is_reported else MonthStanding.DEPOSITED


def reminder_day(today: date) -> int | None:
    """Return the latest of the `REMINDER_DAYS` (days of a month) that is not after `today`; None if there is none."""
    return max((day for day in REMINDER_DAYS if day <= today.day), default=None)
