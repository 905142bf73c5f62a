"""Attempts to be paid, and what a provider can answer; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from meterai.kit.ids import compact, from_compact
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal

REFERENCE_PREFIX = "EM"
REFUND_PREFIX = "RF"
ASK_SECONDS_MAX = 3600.0
ASK_LIFE = timedelta(days=2)  # after this a payment can only be learned from settlement


class AttemptState(StrEnum):
    """Where an attempt to be paid stands."""

    OPENING = "opening"  # we want a QR; nobody may know of it yet
    WAITING = "waiting"  # the buyer has the QR
    PAID = "paid"
    LOST = "lost"  # it is not known whether the provider made a QR; never shown, still asked about
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    DENIED = "denied"  # settled, then taken back by the issuer


class AttemptEvent(StrEnum):
    """What happens to an attempt."""

    QR_MADE = "qr_made"
    ANSWER_LOST = "answer_lost"
    CAPTURED = "captured"
    TIME_RAN_OUT = "time_ran_out"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    DENIED = "denied"


_S, _E = AttemptState, AttemptEvent
ATTEMPT = Lifecycle(
    "the payment attempt",
    {
        (_S.OPENING, _E.QR_MADE): _S.WAITING,
        (_S.OPENING, _E.ANSWER_LOST): _S.LOST,
        (_S.OPENING, _E.CAPTURED): _S.PAID,
        (_S.OPENING, _E.TIME_RAN_OUT): _S.EXPIRED,
        # Somebody may be asking for the QR at this moment.
        (_S.OPENING, _E.CANCELLED): _S.LOST,
        (_S.OPENING, _E.DECLINED): _S.DECLINED,
        (_S.WAITING, _E.CAPTURED): _S.PAID,
        (_S.WAITING, _E.TIME_RAN_OUT): _S.EXPIRED,
        (_S.WAITING, _E.CANCELLED): _S.CANCELLED,
        (_S.WAITING, _E.DECLINED): _S.DECLINED,
        # Money has its own mind: each of these may still turn out to be paid.
        (_S.LOST, _E.CAPTURED): _S.PAID,
        (_S.LOST, _E.DECLINED): _S.DECLINED,
        (_S.EXPIRED, _E.CAPTURED): _S.PAID,
        (_S.CANCELLED, _E.CAPTURED): _S.PAID,
        (_S.DECLINED, _E.CAPTURED): _S.PAID,
        (_S.PAID, _E.CAPTURED): _S.PAID,
        (_S.PAID, _E.DENIED): _S.DENIED,
    },
)


class ProviderUnreachable(Refusal):
    """The provider was not reached: nothing was sent, so nothing happened there."""

    code = "provider_unreachable"
    status = 503


class OutcomeUnknown(Refusal):
    """The provider may or may not have done it (5xx, time-out); it must be asked."""

    code = "provider_outcome_unknown"
    status = 503


class ProviderRefused(Refusal):
    """The provider said no, with its response code."""

    code = "provider_refused"
    status = 502

    def __init__(self, response_code: str, message: str) -> None:
        super().__init__(f"{response_code} {message}")
        self.response_code = response_code

    @property
    def case(self) -> str:
        """HTTP status and case code without the service: '40401', '40901'."""
        return self.response_code[:3] + self.response_code[5:]


class NotificationForged(Refusal):
    """A notification whose signature does not fit."""

    code = "notification_forged"
    status = 401


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to be paid."""

    account: UUID
    id: UUID
    subject: UUID
    reference: str
    amount: Rupiah
    state: AttemptState
    qr_content: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QrMade:
    """The provider's answer to our wish for a QR."""

    qr_content: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment the provider received on a QR."""

    number: str  # RRN
    amount: Rupiah
    is_denied: bool = False  # the issuer took it back


@dataclass(frozen=True, slots=True)
class Standing:
    """What the provider says became of an attempt (SNAP latestTransactionStatus)."""

    status: str  # '00' paid, '03' pending, '05' cancelled, '06' failed, '07' not found
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says, once its signature was found good."""

    reference: str
    status: str
    payment: Payment | None


def reference_of(account: UUID, attempt: UUID) -> str:
    """Our reference at the provider.  It names the account, so that money finds its way."""
    return f"{REFERENCE_PREFIX}{compact(account)}{compact(attempt)}"


def refund_number(account: UUID, refund: UUID) -> str:
    """Our number of a refund at the provider: the same in every try."""
    return f"{REFUND_PREFIX}{compact(account)}{compact(refund)}"


def parse_reference(text: str) -> tuple[UUID, UUID]:
    """(account, attempt) of one of our references.  Raises `ValueError`."""
    rest = text.removeprefix(REFERENCE_PREFIX)
    if len(rest) != 52 or rest == text:
        raise ValueError(f"not one of our references: {text!r}")
    return from_compact(rest[:26]), from_compact(rest[26:])


def ask_again_after(first_seconds: float, asked: int) -> float:
    """Seconds until the next question about a payment: doubling, up to once an hour."""
    return min(first_seconds * 2.0**asked, ASK_SECONDS_MAX)
