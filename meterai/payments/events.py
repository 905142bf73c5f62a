"""Events of payments, for this room and those above.

`payment` is the provider's number of a payment, `subject` the id of what is paid for (an order);
amounts are whole rupiah.
"""

from datetime import date
from uuid import UUID

from meterai.plumbing.work.events import Event


class NotificationReceived(Event, frozen=True, kw_only=True):
    """A notification of the provider was kept, not acted on; written by `payments.store.take`.

    It has no account, which is known only once it is read.
    """

    external_id: str
    sent_on: date
    provider: str = "bank"  # of events from before there were several rails


class PaymentCaptured(Event, frozen=True, kw_only=True):
    """A payment was captured for the first time; written by `payment_capture`."""

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentDeclined(Event, frozen=True, kw_only=True):
    """An attempt failed and nothing was captured; written by `payment_decline`."""

    subject: UUID


class PaymentDenied(Event, frozen=True, kw_only=True):
    """The payer's bank took a captured payment back, or a part; written by `payment_deny`.

    `amount`: rupiah beyond the sum known before.
    """

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentWon(Event, frozen=True, kw_only=True):
    """A chargeback was won, whole or in part; written by `payment_confirm` and `payments.record`.

    `left`: rupiah that the payer's bank keeps.
    """

    attempt: UUID
    payment: str
    subject: UUID
    left: int = 0


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The provider reports a refund of a captured payment; written by `payments.jobs.act_on` and
    `PaymentService.ask`.

    `amount`: the rupiah it names, None if it names none.  `is_sum`: they are all refunds of the
    payment so far, as in an answer; else one refund, as in a notification.
    """

    attempt: UUID
    payment: str
    amount: int | None
    is_sum: bool = False


class PaymentMoved(Event, frozen=True, kw_only=True):
    """Money of a payment moved without an act of the room above; written by `payment_tell_moved`.

    `restored`: rupiah that had left and came back, by the entry of this id.
    """

    attempt: UUID
    payment: str
    subject: UUID
    restored: int = 0
    entry: str = ""


class MoneyToReturn(Event, frozen=True, kw_only=True):
    """Money of a payment that its order does not use; written by `payment_give_back`.

    `cause`: a `RefundCause`; `key`: names the refund, once for each cause and payment.
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
    """A refund replaces one that the provider does not carry out, by another way; written by `refund_reroute`."""

    refund: UUID
    way: str


class AccountWanted(Event, frozen=True, kw_only=True):
    """A refund, or its late compensation, waits for a bank account; written by `refund_want_account`."""

    refund: UUID


class RefundSettled(Event, frozen=True, kw_only=True):
    """The buyer has the money; written by `refund_settle`."""

    refund: UUID
