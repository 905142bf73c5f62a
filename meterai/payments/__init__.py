"""Payments: money in and out through a provider, by SNAP BI.  Knows no orders.

Promises this room keeps
  * Our intent is committed before the provider is called; an unknown outcome is asked for.
  * Notification, status question and browser return end in one capture, once per payment.
  * A notification is kept before it is answered; a wrong signature or a replay moves nothing.
  * Only a payment with status success moves money; what is signed and cannot be booked is in
    suspense.
  * A QR that nobody should pay any more is taken back at the provider.
  * Money comes and goes through this room alone: no other knows the provider.

Calls ledger, suspense.  Tells the rooms above by `payment_captured`, `payment_declined`,
`payment_denied` and `payment_refunded`.
"""

from meterai.payments.adapters.snap.emv import qr_complaints
from meterai.payments.adapters.snap.profile import profile_of, qr_accounts_of
from meterai.payments.adapters.snap.reading import read_notification
from meterai.payments.adapters.snap.wire import call_seconds_max
from meterai.payments.model import (
    REFUND_PREFIX,
    Attempt,
    AttemptState,
    Movement,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    RefundLine,
    RefundWish,
    parse_reference,
    reference_of,
    refund_number,
)
from meterai.payments.routes import NOTIFY_PATH
from meterai.payments.service import (
    PaymentService,
    attempts_of,
    close,
    connected,
    new_attempt,
    open_another,
)
from meterai.payments.settings import PaymentSettings

__all__ = [
    "NOTIFY_PATH",
    "REFUND_PREFIX",
    "Attempt",
    "AttemptState",
    "Movement",
    "OutcomeUnknown",
    "PaymentService",
    "PaymentSettings",
    "ProviderRefused",
    "ProviderUnreachable",
    "RefundLine",
    "RefundWish",
    "attempts_of",
    "call_seconds_max",
    "close",
    "connected",
    "new_attempt",
    "open_another",
    "parse_reference",
    "profile_of",
    "qr_accounts_of",
    "qr_complaints",
    "read_notification",
    "reference_of",
    "refund_number",
]
