"""What payments tell themselves and the rooms above.

`payment` is the provider's number of a payment, `subject` what the attempt is for (an order),
amounts are whole rupiah.
"""

from datetime import date
from uuid import UUID

from meterai.plumbing.work.events import Event


class NotificationReceived(Event, frozen=True, kw_only=True):
    """A notification of the provider was kept, not acted on; written by `payments.store.take`.

    Of no account: whose it is is not known before it is read.
    """

    external_id: str
    sent_on: date
    provider: str = "bank"  # what a process says nothing of that knew one rail


class PaymentCaptured(Event, frozen=True, kw_only=True):
    """A payment reached us, for the first time; written by `payment_capture`."""

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentDeclined(Event, frozen=True, kw_only=True):
    """An attempt is spent and nothing was captured; written by `payment_decline`."""

    subject: UUID


class PaymentDenied(Event, frozen=True, kw_only=True):
    """The payer's bank took a captured payment back, or a part; written by `payment_deny`.

    `amount`: how much more than was known before.
    """

    attempt: UUID
    payment: str
    subject: UUID
    amount: int


class PaymentWon(Event, frozen=True, kw_only=True):
    """Money of a payment that the payer's bank had taken back is with us again; written by `payment_confirm` and by
    `payments.record`.

    `left`: rupiah that the payer's bank still has.
    """

    attempt: UUID
    payment: str
    subject: UUID
    left: int = 0


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """The provider says that a captured payment was given back; written by `payments.jobs.act_on` and
    by `PaymentService.ask`.

    `amount`: what it names, None where it names none.  `is_sum`: that is all that was given back of
    the payment so far, as an answer says; else one refund, as a notification does.
    """

    attempt: UUID
    payment: str
    amount: int | None
    is_sum: bool = False


class PaymentMoved(Event, frozen=True, kw_only=True):
    """Money of a payment moved without the room above; written by `payment_tell_moved`.

    `restored`: whole rupiah that had left and are with us again, by the entry of this id.
    """

    attempt: UUID
    payment: str
    subject: UUID
    restored: int = 0
    entry: str = ""


class MoneyToReturn(Event, frozen=True, kw_only=True):
    """Money of a payment that its order has no use for; written by `payment_give_back`.

    `amount`: whole rupiah.  `cause`: a `RefundCause`; `key`: what names the refund, once for each
    cause and payment.
    """

    order: UUID
    attempt: UUID
    payment: str
    amount: int
    cause: str
    key: str


class RefundRequested(Event, frozen=True, kw_only=True):
    """Money is set aside to be given back; written by `refund_begin`."""

    refund: UUID


class RefundRerouted(Event, frozen=True, kw_only=True):
    """The provider does not carry a refund out, and this one takes another way; written by `refund_reroute`."""

    refund: UUID
    way: str


class AccountWanted(Event, frozen=True, kw_only=True):
    """A refund, or money for its lateness, waits for a bank account; written by `refund_want_account`."""

    refund: UUID


class RefundSettled(Event, frozen=True, kw_only=True):
    """The money is with its buyer; written by `refund_settle`."""

    refund: UUID
