"""Events of payments, for this room and the rooms above.

`payment` is the provider's number of a payment, `subject` the id of the object that is paid for (an order); amounts are
whole rupiah.
"""

from datetime import date
from uuid import UUID

from meterai.plumbing.work.events import Event


class NotificationReceived(Event, frozen=True, kw_only=True):
    """A notification of a provider was stored and is to be acted on; written by `payments.store.take`.

    The event has no account: the account is known only after the notification is parsed.
    """

    external_id: str
    sent_on: date
    provider: str = "bank"  # the default is for events of versions with a single rail


class PaymentCaptured(Event, frozen=True, kw_only=True):
    """A payment was captured, which happens once for each payment; written by `payment_capture`."""

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentDeclined(Event, frozen=True, kw_only=True):
    """An attempt failed and nothing was captured; written by `payment_decline`."""

    subject: UUID


class PaymentDenied(Event, frozen=True, kw_only=True):
    """The payer's bank took a captured payment back, whole or in part; written by `payment_deny`.

    `amount`: rupiah taken back in addition to the sum known before.
    """

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentWon(Event, frozen=True, kw_only=True):
    """A chargeback was won, whole or in part; written by `payment_confirm` and `payments.record`.

    `left`: rupiah that stay with the payer's bank; 0 if the whole chargeback was won.
    """

    attempt: UUID
    payment: str
    subject: UUID
    left: int = 0


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The provider reports a refund of a captured payment; written by `payments.jobs.act_on` and
    `PaymentService.ask`.

    `amount`: the reported rupiah, None if the provider names no sum.  `is_sum`: True if `amount` is the sum of all refunds
    of the payment so far, as in an answer to a query; False if it is one refund, as in a notification.
    """

    attempt: UUID
    payment: str
    amount: int | None
    is_sum: bool = False


class PaymentMoved(Event, frozen=True, kw_only=True):
    """Money of a payment moved without a request of the room above (orders); written by `payment_tell_moved`.

    `restored`: rupiah that had left us and came back, 0 if none came back; `entry`: id of the ledger entry that booked these
    rupiah.
    """

    attempt: UUID
    payment: str
    subject: UUID
    restored: int = 0
    entry: str = ""


class MoneyToReturn(Event, frozen=True, kw_only=True):
    """Money of a payment is to be refunded, since its order does not use it; written by `payment_give_back`.

    `cause`: a `RefundCause`; `key`: identifies the refund, so that a payment has only one refund for each cause.
    """

    order: UUID
    attempt: UUID
    payment: str
    amount: int
    cause: str
    key: str


class RefundRequested(Event, frozen=True, kw_only=True):
    """A refund was requested and its money set aside; written by `refund_begin`."""

    refund: UUID


class RefundRerouted(Event, frozen=True, kw_only=True):
    """A refund that its provider does not carry out was replaced by a refund to a bank account; written by `refund_reroute`."""

    refund: UUID
    way: str


class AccountWanted(Event, frozen=True, kw_only=True):
    """A refund, or a compensation for a late one, waits until the buyer names an account; written by `refund_want_account`."""

    refund: UUID


class RefundSettled(Event, frozen=True, kw_only=True):
    """A refund was settled: the provider sent the money to the buyer; written by `refund_settle`."""

    refund: UUID
