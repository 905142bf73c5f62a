"""Collectors, their months, draws and deposits; pure."""

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
METHOD = "credit"  # by which an order is paid
DEPOSIT_CODE = (
    "411411-902"  # kinds of tax and of deposit, by which the treasury knows a collector's duty
)
REMINDER_DAYS = (1, 10, 14, 18)  # of the month after


class CollectorState(StrEnum):
    """State of a collector."""

    OPEN = "open"
    CLOSED = "closed"  # draws no more; what it owes is still to be deposited


class CollectorEvent(StrEnum):
    """What happens to a collector."""

    CLOSED = "closed"  # by staff
    APPROVED = "approved"  # by staff, again


COLLECTOR = Lifecycle(
    "the collector",
    {
        (CollectorState.OPEN, CollectorEvent.CLOSED): CollectorState.CLOSED,
        (CollectorState.CLOSED, CollectorEvent.APPROVED): CollectorState.OPEN,
    },
)


class DrawState(StrEnum):
    """State of a draw; how its order stands is the order's to say."""

    WAITING = "waiting"
    TAKEN = "taken"
    ENDED = "ended"


class DrawEvent(StrEnum):
    """What happens to a draw."""

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
    """State of a deposit to the treasury that a collector made."""

    TOLD = "told"  # by the collector
    CONFIRMED = "confirmed"  # by staff
    WITHDRAWN = "withdrawn"  # by the collector: it was told wrongly


class DepositEvent(StrEnum):
    """What happens to a deposit."""

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
    """How a month of a collector stands."""

    RUNNING = "running"
    DUE = "due"  # over, and not all of it is deposited
    OVERDUE = "overdue"  # past the last day of its deposit
    DEPOSITED = "deposited"  # all of it, or there is nothing to deposit; the return is not told
    REPORTED = "reported"  # and the return is filed


class NoCollector(Refusal):
    """The account is no collector, or no more."""

    code = "no_collector"
    status = 404


class CreditBeyondLimit(Refusal):
    """An order that is larger than what the collector may draw in a month: it would wait for ever."""

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
    """A deposit of more than its month still owes."""

    code = "deposit_beyond_due"
    status = 422

    def __init__(self, *, due: int) -> None:
        super().__init__(f"{due} rupiah are due")
        self.due = str(Rupiah(due))


@refusal_of_database
class NtpnUsed(Refusal):
    """The receipt of the state is of another deposit."""

    code = "ntpn_used"
    status = 409


class NtpnDiffers(CommandRefusal):
    """Staff confirm another deposit than the collector told under this receipt."""

    code = "ntpn_differs"
    status = 409


class MonthRuns(Refusal):
    """The month is not over: nothing of it is told to the tax office yet."""

    code = "month_runs"
    status = 409


class MonthNotNil(Refusal):
    """The month has stampings, draws or documents: there is no statement of nothing."""

    code = "month_not_nil"
    status = 409


class CollectorTerms(NamedTuple):
    """What staff and a collector agreed."""

    name: str
    npwp: str
    nitku: str
    limit_rupiah: int


class Collector(NamedTuple):
    """One collector with the terms of today."""

    account: UUID
    state: CollectorState
    approved_at: datetime
    closed_at: datetime | None
    name: str
    npwp: str
    nitku: str
    limit_rupiah: int


class AgreedLimit(NamedTuple):
    """Terms that staff and a collector agreed, and since when."""

    set_at: datetime
    name: str
    npwp: str
    limit_rupiah: int


class DepositToConfirm(NamedTuple):
    """A deposit that a collector told and staff have not confirmed."""

    account: UUID
    name: str
    ntpn: str
    month: date
    amount: int
    told_at: datetime


class DrawsWaiting(NamedTuple):
    """Draws of a collector that wait since a moment, and its limit of a month; rupiah."""

    account: UUID
    name: str
    draws: int
    rupiah: int
    limit_rupiah: int
    since: datetime


class MonthOpen(NamedTuple):
    """A month of a collector of which something is to be deposited."""

    account: UUID
    name: str
    month: date
    open: int


class MonthDue(NamedTuple):
    """What moved of a month, and what of it is open."""

    month: date
    drawn: int
    returned: int
    deposited: int
    open: int
    surplus: int


class Draw(NamedTuple):
    """A draw as its rail is asked for it."""

    amount: int
    state: DrawState


class WaitingDraws(NamedTuple):
    """Draws of a collector that wait, and their rupiah."""

    draws: int
    rupiah: int


class OfCollector(NamedTuple):
    """A collector whose draws wait."""

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
    """The return of a month was filed."""

    month: date
    receipt: str
    reported_on: date


class Unstamped(NamedTuple):
    """A document that could not be stamped, as its collector says."""

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
    """A stamping with what the law asks of its document; None where nobody told it."""

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
    """The last days of a month: of its deposit, and of its return."""

    month: Month
    deposit_day: int
    report_day: int

    @property
    def deposit_by(self) -> date:
        """The last day of its deposit."""
        return self.month.next.first.replace(day=self.deposit_day)

    @property
    def report_by(self) -> date:
        """The last day of its return."""
        return self.month.next.first.replace(day=self.report_day)

    def standing(self, today: date, open_rupiah: int, *, is_reported: bool) -> MonthStanding:
        """How it stands on a day."""
        if today < self.month.next.first:
            return MonthStanding.RUNNING
        if open_rupiah:
            return MonthStanding.OVERDUE if today > self.deposit_by else MonthStanding.DUE
        return MonthStanding.REPORTED if is_reported else MonthStanding.DEPOSITED


def reminder_day(today: date) -> int | None:
    """The day of reminding that is due on a day; None before the first."""
    return max((day for day in REMINDER_DAYS if day <= today.day), default=None)
