"""Refunds of payments: their states, and what a provider's record says of them; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.backoff import pause
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah

TRY_SECONDS_MAX = 300.0  # between two tries at the provider
CALLS_PER_TRY_MAX = 4  # a question and a refund, each with a token
LEASE_MARGIN_SECONDS = 4.0  # for our own work between the calls, and to record the outcome


class RefundState(StrEnum):
    """State of a refund."""

    REQUESTED = "requested"  # the money is set aside; the provider was not called yet
    SENT = "sent"  # the provider was called; the outcome may be unknown
    REFUSED = "refused"  # the provider refused; it is tried again
    SETTLED = "settled"
    VOID = "void"  # not carried out: the payer had the money from a bank already


class RefundEvent(StrEnum):
    """Event in the life of a refund."""

    SENT = "sent"
    REFUSED = "refused"
    SETTLED = "settled"
    PAYMENT_DENIED = "payment_denied"
    GIVEN_BACK = "given_back"  # its payment, by the provider of its own accord


_S, _E = RefundState, RefundEvent
REFUND = Lifecycle(
    "the refund",
    {
        (_S.REQUESTED, _E.SENT): _S.SENT,
        (_S.SENT, _E.SENT): _S.SENT,
        (_S.SENT, _E.REFUSED): _S.REFUSED,
        (_S.REFUSED, _E.SENT): _S.SENT,
        (_S.SENT, _E.SETTLED): _S.SETTLED,
        # Two calls crossed: the later one was refused, the earlier one has settled it.
        (_S.REFUSED, _E.SETTLED): _S.SETTLED,
        (_S.REQUESTED, _E.PAYMENT_DENIED): _S.VOID,
        (_S.SENT, _E.PAYMENT_DENIED): _S.VOID,
        (_S.REFUSED, _E.PAYMENT_DENIED): _S.VOID,
        (_S.REQUESTED, _E.GIVEN_BACK): _S.VOID,
        (_S.SENT, _E.GIVEN_BACK): _S.VOID,  # no call of it is open, and the record does not have it
        (_S.REFUSED, _E.GIVEN_BACK): _S.VOID,
        # A call that was open when it was stopped had been carried out.
        (_S.VOID, _E.SETTLED): _S.SETTLED,
    },
)


class RefundCause(StrEnum):
    """Why money goes back."""

    NOT_EXECUTED = "not_executed"  # paid, and no stamp by the due time
    NOT_STAMPED = "not_stamped"  # the document could not be stamped
    ASKED = "asked"  # the buyer asked unused stamps back
    SHORT = "short"  # less than the total
    EXCESS = "excess"  # what was more than the total
    DOUBLE = "double"  # the order was paid before
    LATE = "late"  # the order was withdrawn, or is over
    RESTORED = "restored"  # taken back by a bank, or given back, and with us again
    REMAINDER = "remainder"  # rest of the price of the stamps that covered a part taken back


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund."""

    account: UUID
    id: UUID
    subject: UUID  # what its payment was for
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
    last_answer: str | None  # of the provider, where it did not carry the refund out
    reversed: Rupiah  # of it, with us again since it was settled
    tried_at: datetime | None = None  # when it was last sent

    @property
    def is_stopped_or_on_its_way(self) -> bool:
        """True where the provider may have carried it out, or may yet."""
        return self.state in (RefundState.SENT, RefundState.REFUSED, RefundState.VOID)


class RefundFigures(NamedTuple):
    """Refunds of a span: how many began and settled; and how many are open."""

    begun: int
    settled: int
    open: int


class OpenRefunds(NamedTuple):
    """Refunds that are not settled: how many, their rupiah, when the first was asked for, how many are past their due time."""

    refunds: int
    rupiah: int
    oldest_at: datetime | None
    past_due: int


class RefundsMark(NamedTuple):
    """A text about the refunds of one subject, another whenever something of them changed."""

    account: UUID
    subject: UUID
    mark: str


class RefundPastDue(NamedTuple):
    """A refund that is open past its due time."""

    account: UUID
    refund: UUID


class RefundSeen(NamedTuple):
    """A refund as the provider's record has it."""

    provider_number: str | None
    made: Rupiah  # 0: it failed, or was reversed


class PaymentGivenBack(NamedTuple):
    """A payment that the provider says it gave back, at least `told` rupiah of it."""

    account: UUID
    attempt: UUID
    payment: str
    told: int


def try_again_after(tries: int) -> float:
    """Seconds until the next try, after so many: 1, 2, 4, ... up to five minutes."""
    return pause(tries - 1, longest=TRY_SECONDS_MAX)


def refund_lease_seconds(timeout_seconds: float) -> float:
    """How long a try belongs to who makes it: longer than its calls, each with its time-out."""
    return CALLS_PER_TRY_MAX * timeout_seconds + LEASE_MARGIN_SECONDS
