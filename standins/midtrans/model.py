"""Model of Midtrans: transactions, and the movements of money of each. The status of a transaction is derived from its
closing and its movements, and not stored. Only a wrong status that this stand-in must answer instead (`said`) is stored.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

AMOUNT_MAX = 10_000_000  # rupiah, Bank Indonesia's limit for one QRIS payment since 1 March 2022
DAY_MS = 24 * 3600 * 1000
# Days in which a QRIS payment can be refunded: paid by an app of the acquirer's own group (on-us), or another.
ON_US_DAYS = {"gopay": 45, "airpay shopee": 365}
OFF_US_DAYS = 7
ISSUERS = {"gopay": "gopay", "airpay shopee": "shopeepay"}  # on-us, by acquirer
# The first digits of a virtual account at each bank; no real company has them.
BANKS = {"bca": "70012", "bni": "98800", "bri": "10445", "permata": "87780", "cimb": "51199"}


class Status(StrEnum):
    """Values of transaction_status for QRIS and virtual accounts."""

    PENDING = "pending"
    SETTLEMENT = "settlement"
    EXPIRE = "expire"
    CANCEL = "cancel"
    DENY = "deny"
    REFUND = "refund"
    PARTIAL_REFUND = "partial_refund"
    CHARGEBACK = "chargeback"
    PARTIAL_CHARGEBACK = "partial_chargeback"


class Kind(StrEnum):
    """Kind of a movement: a settlement and a won chargeback are incoming, the others outgoing."""

    SETTLEMENT = "settlement"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback_won"
    DENY = "deny"  # the payer's bank took a whole payment back minutes after it settled

    @property
    def is_in(self) -> bool:
        """True if the merchant gets money."""
        return self in (Kind.SETTLEMENT, Kind.CHARGEBACK_WON)


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of money. `key` of a refund is from the merchant, or generated here."""

    kind: Kind
    amount: int
    moved_at: int
    uuid: str = ""
    key: str = ""
    reason: str = ""


@dataclass(slots=True)
class Transaction:
    """One charge and everything that happened to it.  Moments in milliseconds since 1970."""

    transaction_id: str
    order_id: str
    payment_type: str  # qris, bank_transfer
    channel: str  # acquirer or bank
    shown: str  # the QR or the virtual account
    amount: int
    created_at: int
    expires_at: int
    closing: Status | None = None  # cancel, expire or deny
    issuer: str = ""  # of a QRIS payment
    said: Status | None = None
    deny_at: int | None = None  # when a fault charges it back
    is_end_told: bool = False
    movements: tuple[Movement, ...] = ()

    def total(self, kind: Kind) -> int:
        """Rupiah of movements of this kind."""
        return sum(one.amount for one in self.movements if one.kind is kind)

    @property
    def settled_at(self) -> int | None:
        """Time of the payment, None if unpaid."""
        return next((one.moved_at for one in self.movements if one.kind is Kind.SETTLEMENT), None)

    @property
    def is_on_us(self) -> bool:
        """True if an app of the acquirer's own group paid."""
        return self.issuer == ISSUERS.get(self.channel)

    @property
    def refundable_until(self) -> int:
        """Time until which a QRIS payment can be refunded."""
        days = ON_US_DAYS.get(self.channel, 0) if self.is_on_us else OFF_US_DAYS
        return (self.settled_at or 0) + days * DAY_MS

    @property
    def taken_back(self) -> int:
        """Rupiah charged back, less won chargebacks."""
        return self.total(Kind.CHARGEBACK) - self.total(Kind.CHARGEBACK_WON)

    @property
    def left(self) -> int:
        """Rupiah that were paid and neither refunded nor charged back."""
        return sum(one.amount if one.kind.is_in else -one.amount for one in self.movements)

    @property
    def happens_at(self) -> int | None:
        """Time of its next scheduled act: a chargeback by a fault, or the expiry of an unpaid one."""
        if self.settled_at is not None:
            return self.deny_at
        return None if self.closing or self.is_end_told else self.expires_at

    def refund_of(self, key: str) -> Movement | None:
        """Return the refund with this key, or None."""
        found = (one for one in self.movements if one.kind is Kind.REFUND and one.key == key)
        return next(found, None)

    def status(self, now: int) -> Status:
        """Return the status by closing and movements at a moment (milliseconds since 1970)."""
        if self.settled_at is None:
            return self.closing or (Status.EXPIRE if self.expires_at <= now else Status.PENDING)
        if self.total(Kind.DENY):
            return Status.DENY
        if self.taken_back:
            return Status.PARTIAL_CHARGEBACK if self.left else Status.CHARGEBACK
        if self.total(Kind.REFUND):
            return Status.PARTIAL_REFUND if self.left else Status.REFUND
        return Status.SETTLEMENT


@dataclass(frozen=True, slots=True)
class News:
    """A notification to the merchant: every try sends the same body."""

    number: int
    body: bytes
    copies: int  # number of copies sent at the same time
    attempts: int
    due_at: int
    state: str  # waiting, delivered, dropped (by a fault), given up


def new_uuid() -> str:
    """Return a new id in the form of Midtrans."""
    return str(UUID(bytes=secrets.token_bytes(16), version=4))
