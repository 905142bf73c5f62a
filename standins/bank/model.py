"""Model of the bank: bills, their payments, chargebacks and refunds.

The state of a bill is derived, never stored: from its closing, its payments, the sums that the payer's
bank took back (`denied`) and the refunds.
"""

from dataclasses import dataclass
from enum import StrEnum

# Name of the payers' bank, the only one.  QRIS calls it the issuer.
PAYER_BANK = "STAND-IN"
BANK_CODE = "999"  # no real bank has this code
CUSTOMER_NUMBER = "6280000000000"
AMOUNT_MAX = 10_000_000  # rupiah, Bank Indonesia's limit for one QRIS payment since 1 March 2022


class Status(StrEnum):
    """Values of SNAP BI's latestTransactionStatus that a QR can have."""

    SUCCESS = "00"
    PENDING = "03"
    REFUNDED = "04"
    CANCELLED = "05"
    FAILED = "06"


STATUS_TEXT = {
    Status.SUCCESS: "Success",
    Status.PENDING: "Pending",
    Status.REFUNDED: "Refunded",
    Status.CANCELLED: "Cancelled",
    Status.FAILED: "Failed",
}


@dataclass(frozen=True, slots=True)
class VirtualAccount:
    """The account for the payment of one bill. `number` is the padded service id followed by the customer number."""

    reference_no: str
    service_id: str
    customer_no: str
    number: str
    name: str


class Closing(StrEnum):
    """Cause of the closing of an unpaid bill."""

    CANCELLED = "cancelled"  # by the merchant
    DECLINED = "declined"  # by the payer's bank


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received on a bill.  Moments in milliseconds since 1970, amounts in rupiah."""

    reference_no: str
    rrn: str
    amount: int
    paid_at: int
    denied_at: int | None  # the payer's bank took all of it back after settlement
    taken_back: int = 0  # rupiah the payer's bank took back so far
    request_id: str = ""  # paymentRequestId of a payment into a virtual account

    @property
    def status(self) -> Status:
        """Success, or failed if it was charged back whole."""
        return Status.SUCCESS if self.denied_at is None else Status.FAILED


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund. `rrn` is empty if the money was taken from several payments."""

    reference_no: str
    partner_refund_no: str
    refund_no: str
    rrn: str
    amount: int
    reason: str
    refunded_at: int
    reversed_at: int | None = None  # the money did not reach the payer and came back to us

    @property
    def status(self) -> Status:
        """Success, or failed if it was reversed."""
        return Status.SUCCESS if self.reversed_at is None else Status.FAILED


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the transaction history: money paid, refunded or taken back."""

    kind: str  # see `_MOVEMENTS` of the store
    moved_at: int
    reference_no: str
    partner_reference_no: str
    rrn: str
    amount: int
    refund_no: str  # only of a refund and its reversal, else empty
    partner_refund_no: str  # likewise, and empty for a refund by the bank's staff
    fee: int  # of the payment
    tax: int
    is_whole: bool  # True if the whole payment moved
    is_virtual_account: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """One QR or virtual account, and everything that happened to it."""

    reference_no: str
    partner_reference_no: str
    amount: int
    qr_content: str
    terminal_id: str
    created_at: int
    valid_until: int
    closing: Closing | None
    closed_at: int | None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    account: VirtualAccount | None = None  # None for a QR

    @property
    def settled(self) -> tuple[Payment, ...]:
        """Payments that were not charged back whole."""
        return tuple(payment for payment in self.payments if payment.denied_at is None)

    @property
    def refunded(self) -> int:
        """Rupiah refunded so far, without reversed refunds."""
        return sum(refund.amount for refund in self.refunds if refund.reversed_at is None)

    @property
    def refundable(self) -> int:
        """Rupiah that were paid and neither charged back nor refunded."""
        kept = sum(payment.amount - payment.taken_back for payment in self.settled)
        return kept - self.refunded

    @property
    def status(self) -> Status:
        """The latestTransactionStatus of SNAP BI."""
        if self.settled:
            return Status.SUCCESS if self.refundable else Status.REFUNDED
        if self.payments or self.closing is Closing.DECLINED:
            return Status.FAILED
        return Status.PENDING if self.closing is None else Status.CANCELLED

    @property
    def shown_payment(self) -> Payment | None:
        """The payment for answers that name only one: the first that was not charged back, else the first."""
        return (self.settled or self.payments or (None,))[0]

    def left_of(self, payment: Payment) -> int:
        """Return the rupiah of this payment that can still be refunded."""
        own = sum(
            refund.amount
            for refund in self.refunds
            if refund.rrn == payment.rrn and refund.reversed_at is None
        )
        # Refunds that name no payment reduce the rest of the whole bill.
        left = payment.amount - payment.taken_back - own
        return 0 if payment.denied_at is not None else min(left, self.refundable)


class NotifiedService(StrEnum):
    """The merchant's service that receives a notification, by its SNAP BI code."""

    NOTIFY = "52"
    PAYMENT = "25"


class NotificationState(StrEnum):
    """State of a notification."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DROPPED = "dropped"  # never sent, because of a fault
    GIVEN_UP = "given up"  # after the last try
    REFUSED = "refused"  # a payment of a virtual account that the merchant does not take


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification to the merchant."""

    external_id: str
    reference_no: str
    body: bytes
    copies: int  # number of copies sent at the same time, with the same external id
    attempts: int
    due_at: int
    state: NotificationState
    service: NotifiedService = NotifiedService.NOTIFY
