"""Refunds of payments: their ways and states, and the facts of a provider's record about them; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.backoff import pause
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal

TRY_SECONDS_MAX = 300.0  # between two tries at the provider
CALLS_PER_TRY_MAX = 4  # a query and a refund, each with a token
LEASE_MARGIN_SECONDS = 4.0  # for our own work between the calls, and to record the outcome


class RefundState(StrEnum):
    """State of a refund."""

    REQUESTED = "requested"  # the money is set aside; no call was begun yet
    SENT = "sent"  # a call was begun; the outcome may be unknown
    ACCEPTED = "accepted"  # the provider says that it is at it
    REFUSED = "refused"  # the provider refused; it is tried again
    SETTLED = "settled"
    REROUTED = "rerouted"  # not carried out: another refund takes another way
    VOID = "void"  # not carried out: the payer had the money from a bank already


class RefundEvent(StrEnum):
    """Event in the life of a refund."""

    SENT = "sent"
    NOT_BEGUN = "not_begun"  # the call that was to be made, and no other was before
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SETTLED = "settled"
    REROUTED = "rerouted"
    ACCOUNT_REFUSED = "account_refused"  # by its bank: the refund waits for another
    PAYMENT_CHARGED_BACK = "payment_denied"
    GIVEN_BACK = "given_back"  # its payment, by the provider of its own accord


_S, _E = RefundState, RefundEvent
REFUND = Lifecycle(
    "the refund",
    {
        (_S.REQUESTED, _E.SENT): _S.SENT,
        (_S.SENT, _E.SENT): _S.SENT,
        (_S.SENT, _E.NOT_BEGUN): _S.REQUESTED,
        (_S.SENT, _E.ACCEPTED): _S.ACCEPTED,
        (_S.SENT, _E.REFUSED): _S.REFUSED,
        (_S.ACCEPTED, _E.SENT): _S.SENT,
        (_S.REFUSED, _E.SENT): _S.SENT,
        (_S.SENT, _E.SETTLED): _S.SETTLED,
        (_S.ACCEPTED, _E.SETTLED): _S.SETTLED,
        (_S.REFUSED, _E.REROUTED): _S.REROUTED,
        (_S.SENT, _E.ACCOUNT_REFUSED): _S.REQUESTED,
        (_S.ACCEPTED, _E.ACCOUNT_REFUSED): _S.REQUESTED,
        # Two calls crossed: the later one was refused, the earlier one has settled it.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.REQUESTED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.SENT, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.ACCEPTED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.REFUSED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.REQUESTED, _E.GIVEN_BACK): _S.VOID,
        (_S.SENT, _E.GIVEN_BACK): _S.VOID,  # no call of it is open, and the record does not have it
        (_S.ACCEPTED, _E.GIVEN_BACK): _S.VOID,
        (_S.REFUSED, _E.GIVEN_BACK): _S.VOID,
        # A call that was open when it was stopped, or rerouted, had been carried out.
        (_S.VOID, _E.SETTLED): _S.SETTLED,
        (_S.REROUTED, _E.SETTLED): _S.SETTLED,
    },
)


class Way(StrEnum):
    """How a refund goes back."""

    PROVIDER = "provider"  # by the rail of its payment
    TRANSFER = "transfer"  # to the account that its buyer named
    CLAIM = "claim"  # no account is known: its buyer is to name one


def choose_way(*, gives_back: bool, is_in_time: bool, has_payouts: bool) -> Way:
    """The way of a refund that was never sent.

    gives_back    its rail refunds payments of its method
    is_in_time    its payment is within the refund window of its rail
    has_payouts   a rail of this installation makes transfers; without, the provider is always asked
    """
    if (gives_back and is_in_time) or not has_payouts:
        return Way.PROVIDER
    return Way.CLAIM


class Stage(StrEnum):
    """Stage of a refund, as shown to people."""

    DECIDED = "decided"
    WAITING_FOR_ACCOUNT = "waiting_for_account"
    NOT_SENT = "not_sent"  # something hinders that it is sent
    SENT = "sent"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    RECORDED = "recorded"  # the record of the bank confirms it
    REFUSED = "refused"
    REROUTED = "rerouted"
    VOID = "void"


class RefundCause(StrEnum):
    """Cause of a refund."""

    NOT_EXECUTED = "not_executed"  # paid, and no stamp by the due time
    NOT_STAMPED = "not_stamped"  # the document could not be stamped
    ASKED = "asked"  # the buyer asked unused stamps back
    SHORT = "short"  # less than the total
    EXCESS = "excess"  # the part above the total
    DOUBLE = "double"  # the order was paid before
    LATE = "late"  # the order was withdrawn, or is over
    RESTORED = "restored"  # taken back by a bank, or given back, and with us again
    DEPOSIT = "deposit"  # a seller takes back deposit that it did not use
    REMAINDER = "remainder"  # rest of the price of the stamps that covered a part taken back


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund."""

    account: UUID
    id: UUID
    subject: UUID  # of its payment
    attempt: UUID
    payment: str
    cause: RefundCause
    amount: Rupiah
    stamps: int
    state: RefundState
    number: str
    provider_number: str | None
    requested_at: datetime
    due_at: datetime
    settled_at: datetime | None
    tries: int
    last_answer: str | None  # of the provider, which did not carry the refund out
    reversed: Rupiah  # rupiah of it that came back after it settled
    tried_at: datetime | None = None  # when it was last sent
    way: Way = Way.PROVIDER
    transfer: UUID | None = None  # the last that carries or carried it
    first: UUID | None = None  # of a refund by another way: the original one
    wanted_at: datetime | None = None  # when its buyer was asked to name an account
    waited_seconds: int = 0  # past its due time, for an account
    recorded_at: datetime | None = None
    reroute_at: datetime | None = (
        None  # from then on it goes by another way if the record does not have it
    )

    @property
    def began_as(self) -> UUID:
        """The id of the original refund, before it took another way: compensations belong to that."""
        return self.first or self.id

    @property
    def is_open(self) -> bool:
        """True while its money is with us."""
        return self.state in OPEN

    @property
    def is_stopped_or_on_its_way(self) -> bool:
        """True if the provider may have carried it out, or may yet."""
        return self.state not in (RefundState.REQUESTED, RefundState.SETTLED)


# As in refund_is_open.sql.
OPEN = frozenset(
    {RefundState.REQUESTED, RefundState.SENT, RefundState.ACCEPTED, RefundState.REFUSED}
)


def stage_of(refund: Refund) -> Stage:
    """The stage of a refund."""
    match refund.state:
        case RefundState.REQUESTED if refund.way is Way.CLAIM:
            return Stage.WAITING_FOR_ACCOUNT
        case RefundState.REQUESTED:
            # The last answer may be about the original refund, before it took another way.
            is_new = refund.last_answer is None or refund.way is not Way.PROVIDER
            return Stage.DECIDED if is_new else Stage.NOT_SENT
        case RefundState.SETTLED if refund.recorded_at is not None:
            return Stage.RECORDED
        case state:
            return Stage(state)


@dataclass(frozen=True, slots=True)
class RefundPayee:
    """A bank account that a buyer named.  `holder` is the name that its bank confirmed; `bank_code` has three digits."""

    bank_code: str
    account_no: str
    holder: str
    id: UUID | None = None
    named_at: datetime | None = None


class PayeeOfRefund(NamedTuple):
    """The bank account of a refund by transfer."""

    refund: UUID
    bank_code: str
    account_no: str


@dataclass(frozen=True, slots=True)
class OwedByClaim:
    """Money of one account that waits for a bank account of its buyer."""

    refunds: list[Refund]
    compensation: Rupiah

    @property
    def sum(self) -> Rupiah:
        """The sum of both."""
        return Rupiah(sum(one.amount.value for one in self.refunds) + self.compensation.value)


class Compensation(NamedTuple):
    """Compensation of a refund so far."""

    refund: UUID
    amount: Rupiah


class LateRefund(NamedTuple):
    """A refund past its due time, by whole days."""

    account: UUID
    refund: UUID
    days: int


class KnownOf(NamedTuple):
    """Facts that choose the way of a refund: rail, method and time of its payment."""

    provider: str
    method: str
    captured_at: datetime


class NotRerouted(Refusal):
    """The refund has ended, or already goes by another way."""

    code = "refund_not_rerouted"
    status = 409


class RefundFigures(NamedTuple):
    """Numbers of refunds that began and settled in a period, and of open ones."""

    begun: int
    settled: int
    open: int


class OpenRefunds(NamedTuple):
    """Figures of open refunds: number, rupiah, begin of the oldest, number past their due time."""

    refunds: int
    rupiah: int
    oldest_at: datetime | None
    past_due: int


class RefundsMark(NamedTuple):
    """Version tag of the refunds of one subject: it changes whenever they do."""

    account: UUID
    subject: UUID
    mark: str


class RefundPastDue(NamedTuple):
    """An open refund past its due time."""

    account: UUID
    refund: UUID


class RefundSeen(NamedTuple):
    """A refund in the provider's record."""

    provider_number: str | None
    made: Rupiah  # 0: it failed, or was reversed


class PaymentGivenBack(NamedTuple):
    """A payment of which the provider reports at least `told` rupiah as given back."""

    account: UUID
    attempt: UUID
    payment: str
    told: int


def try_again_after(tries: int) -> float:
    """Seconds until the next try after `tries`: 1, 2, 4, ... up to five minutes."""
    return pause(tries - 1, longest=TRY_SECONDS_MAX)


def refund_lease_seconds(timeout_seconds: float) -> float:
    """Seconds of the lease of a try: longer than its calls, each with its time-out."""
    return CALLS_PER_TRY_MAX * timeout_seconds + LEASE_MARGIN_SECONDS
