"""Model of refunds of payments: their routes back to the buyer (ways), their states, and what the record of a provider says
about a refund; pure.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.backoff import pause
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal

TRY_SECONDS_MAX = 300.0  # longest pause between two tries at the provider
CALLS_PER_TRY_MAX = 4  # a query and a refund, each with a token
LEASE_MARGIN_SECONDS = 4.0  # for our own work between the calls, and to record the outcome


class RefundState(StrEnum):
    """State of a refund."""

    REQUESTED = "requested"  # the money is set aside; no call was begun yet
    SENT = "sent"  # a call was begun; the outcome may be unknown
    ACCEPTED = "accepted"  # the provider says that the refund is under way
    REFUSED = "refused"  # the provider refused; it is tried again
    SETTLED = "settled"
    REROUTED = "rerouted"  # not carried out: a new refund by another way replaces it
    VOID = "void"  # not carried out: the payer already got the money from a bank


class RefundEvent(StrEnum):
    """Event in the life of a refund."""

    SENT = "sent"
    NOT_BEGUN = "not_begun"  # the call could not be made, and no call was made before
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SETTLED = "settled"
    REROUTED = "rerouted"
    ACCOUNT_REFUSED = "account_refused"  # the bank of the named account refused it: the refund waits for another account
    PAYMENT_CHARGED_BACK = "payment_denied"
    GIVEN_BACK = "given_back"  # the provider gave the payment back without our refund


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
        # Two calls overlapped: the later call was refused, but the earlier one settled the refund.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.REQUESTED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.SENT, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.ACCEPTED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.REFUSED, _E.PAYMENT_CHARGED_BACK): _S.VOID,
        (_S.REQUESTED, _E.GIVEN_BACK): _S.VOID,
        # No call is open, and the record does not have this refund.
        (_S.SENT, _E.GIVEN_BACK): _S.VOID,
        (_S.ACCEPTED, _E.GIVEN_BACK): _S.VOID,
        (_S.REFUSED, _E.GIVEN_BACK): _S.VOID,
        # The provider carried out a call that was open when the refund was stopped or rerouted.
        (_S.VOID, _E.SETTLED): _S.SETTLED,
        (_S.REROUTED, _E.SETTLED): _S.SETTLED,
    },
)


class Way(StrEnum):
    """Route by which the money of a refund goes back."""

    PROVIDER = "provider"  # refunded by the rail of its payment
    TRANSFER = "transfer"  # transferred to the account that the buyer named
    CLAIM = "claim"  # no account is known: the buyer must name one


def choose_way(*, gives_back: bool, is_in_time: bool, has_payouts: bool) -> Way:
    """Choose the way (route back to the buyer) of a refund that was never sent.

    gives_back    True if the rail of the payment refunds payments of its method
    is_in_time    True if the payment is within the refund window of its rail
    has_payouts   True if a rail of this installation makes transfers; if none does, the way is always the provider
    """
    if (gives_back and is_in_time) or not has_payouts:
        return Way.PROVIDER
    return Way.CLAIM


class Stage(StrEnum):
    """Stage of a refund, as shown to people."""

    DECIDED = "decided"
    WAITING_FOR_ACCOUNT = "waiting_for_account"
    NOT_SENT = "not_sent"  # something prevents sending it; `last_answer` says what
    SENT = "sent"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    RECORDED = "recorded"  # the record of the bank confirms it
    REFUSED = "refused"
    REROUTED = "rerouted"
    VOID = "void"


class RefundCause(StrEnum):
    """Cause of a refund."""

    NOT_EXECUTED = "not_executed"  # the order was paid, and not executed by its due time
    NOT_STAMPED = "not_stamped"  # the document could not be stamped
    ASKED = "asked"  # the buyer, or staff for the buyer, gave unused stamps back
    SHORT = "short"  # the payment was less than the total of the order
    EXCESS = "excess"  # the part of the payment above the total
    DOUBLE = "double"  # the order was paid before
    LATE = "late"  # the order was withdrawn, or had ended, before the payment
    RESTORED = "restored"  # money that a bank had taken or given back, and that is with us again
    DEPOSIT = "deposit"  # a seller gets back an unused part of its deposit
    # Stamps were retired for a partial chargeback, and their price exceeds it.
    REMAINDER = "remainder"


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund."""

    account: UUID
    id: UUID
    subject: UUID  # the order of its payment
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
    # The last answer of the provider that was no success, or the reason of a wait.
    last_answer: str | None
    reversed: Rupiah  # the part that came back to us after the refund settled
    tried_at: datetime | None = None  # when it was last sent
    way: Way = Way.PROVIDER
    transfer: UUID | None = None  # the last transfer that carries, or carried, this refund
    first: UUID | None = None  # the original refund, if this one replaces it by another way
    # When the buyer was asked to name an account; None if it is not asked now.
    wanted_at: datetime | None = None
    waited_seconds: int = 0  # time after the due time in which the refund waited for an account
    recorded_at: datetime | None = None
    reroute_at: datetime | None = (
        None  # from then on the refund goes by another way, unless the record has it
    )

    @property
    def began_as(self) -> UUID:
        """The id of the first refund in a chain of rerouted refunds, which is this refund's id if it was never rerouted;
        compensations belong to that id.
        """
        return self.first or self.id

    @property
    def is_open(self) -> bool:
        """True while the money of the refund is still with us."""
        return self.state in OPEN

    @property
    def is_stopped_or_on_its_way(self) -> bool:
        """True if a try was made and the refund is not settled: the provider may have sent the money, may still send it, or
        refused.
        """
        return self.state not in (RefundState.REQUESTED, RefundState.SETTLED)


# The same states as in refund_is_open.sql.
OPEN = frozenset(
    {RefundState.REQUESTED, RefundState.SENT, RefundState.ACCEPTED, RefundState.REFUSED}
)


def stage_of(refund: Refund) -> Stage:
    """The stage of a refund that is shown to people."""
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
    """The bank account to which a refund goes by transfer."""

    refund: UUID
    bank_code: str
    account_no: str


@dataclass(frozen=True, slots=True)
class OwedByClaim:
    """A buyer's money that can only be sent once the buyer names a bank account: refunds, and rupiah of compensations."""

    refunds: list[Refund]
    compensation: Rupiah

    @property
    def sum(self) -> Rupiah:
        """The sum of refunds and compensation."""
        return Rupiah(sum(one.amount.value for one in self.refunds) + self.compensation.value)


class Compensation(NamedTuple):
    """The compensation for lateness of a refund so far; `refund` is its id, or if it was rerouted the id of the first refund in
    the chain.
    """

    refund: UUID
    amount: Rupiah


class LateRefund(NamedTuple):
    """A refund that is late by `days` whole days."""

    account: UUID
    refund: UUID
    days: int


class KnownOf(NamedTuple):
    """Facts from which the route of a refund (its way) is chosen: rail, method and time of its payment."""

    provider: str
    method: str
    captured_at: datetime


class NotRerouted(Refusal):
    """The refund has ended, or already goes by another way."""

    code = "refund_not_rerouted"
    status = 409


class RefundFigures(NamedTuple):
    """Counts of refunds: begun in a period, settled in the period, and open now."""

    begun: int
    settled: int
    open: int


class OpenRefunds(NamedTuple):
    """Figures of open refunds: count, sum in rupiah, time at which the oldest began, count past their due time."""

    refunds: int
    rupiah: int
    oldest_at: datetime | None
    past_due: int


class RefundsMark(NamedTuple):
    """Version tag of the refunds of one subject (order); it changes whenever one of these refunds changes."""

    account: UUID
    subject: UUID
    mark: str


class RefundPastDue(NamedTuple):
    """An open refund past its due time."""

    account: UUID
    refund: UUID


class RefundSeen(NamedTuple):
    """One of our refunds according to its provider's record: the provider's number of the refund, and the refunded rupiah
    (`made`).
    """

    provider_number: str | None
    made: Rupiah  # 0 if the refund failed or was reversed


class PaymentGivenBack(NamedTuple):
    """A payment of which the provider reports that at least `told` rupiah were given back."""

    account: UUID
    attempt: UUID
    payment: str
    told: int


def try_again_after(tries: int) -> float:
    """Seconds to wait before the next try after this number of tries: 1, 2, 4, ... up to five minutes."""
    return pause(tries - 1, longest=TRY_SECONDS_MAX)


def refund_lease_seconds(timeout_seconds: float) -> float:
    """Duration in seconds of the lease taken for one try of a refund: longer than all calls of the try, each of which takes at
    most `timeout_seconds`.
    """
    return CALLS_PER_TRY_MAX * timeout_seconds + LEASE_MARGIN_SECONDS
