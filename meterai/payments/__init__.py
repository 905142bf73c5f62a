"""Payments: money in and out through providers, each by a rail of its own.  Knows no orders.

Promises this room keeps
  * Our intent is committed before the provider is called; an unknown outcome is asked for.
  * Notification, status question and browser return end in one capture, once per payment.
  * A notification is kept before it is answered; a wrong signature or a replay moves nothing, and
    what one provider signs moves nothing of another.
  * Only a payment that its provider says is paid moves money; what is signed and cannot be booked
    is in suspense.
  * What nobody should pay any more is taken back at its provider.
  * Money comes and goes through this room alone: no other knows a provider, and of this one only
    the packages of `adapters` know what one speaks.

Calls ledger, suspense.  Tells the rooms above by `payment_captured`, `payment_declined`,
`payment_denied`, `payment_won` and `payment_refunded`.
"""

from meterai.payments.adapters.snap import (
    NOTIFY_PATH,
    SnapSettings,
    client_secret,
    payee,
    signing_key,
)
from meterai.payments.asking import BuyerQuestions
from meterai.payments.model import (
    REFUND_PREFIX,
    AccountNumber,
    Attempt,
    AttemptState,
    CallNotBegun,
    Captured,
    Channel,
    Heard,
    Instructions,
    Movement,
    MovementKind,
    Notification,
    OddLine,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    Qr,
    RailNotConfigured,
    Redirect,
    RefundLine,
    RefundWish,
    parse_number,
    parse_reference,
    read_instructions,
    reference_of,
    refund_number,
)
from meterai.payments.rails import RailKinds, Rails
from meterai.payments.service import (
    PaymentService,
    apply,
    attempts_of,
    close,
    connected,
    new_attempt,
    open_another,
)
from meterai.payments.settings import PaymentSettings
from meterai.payments.store import captured_of, heard_of, is_covered, routes_of

__all__ = [
    "NOTIFY_PATH",
    "REFUND_PREFIX",
    "AccountNumber",
    "Attempt",
    "AttemptState",
    "BuyerQuestions",
    "CallNotBegun",
    "Captured",
    "Channel",
    "Heard",
    "Instructions",
    "Movement",
    "MovementKind",
    "Notification",
    "OddLine",
    "OutcomeUnknown",
    "PaymentService",
    "PaymentSettings",
    "ProviderRefused",
    "ProviderUnreachable",
    "Qr",
    "RailKinds",
    "RailNotConfigured",
    "Rails",
    "Redirect",
    "RefundLine",
    "RefundWish",
    "SnapSettings",
    "apply",
    "attempts_of",
    "captured_of",
    "client_secret",
    "close",
    "connected",
    "heard_of",
    "is_covered",
    "new_attempt",
    "open_another",
    "parse_number",
    "parse_reference",
    "payee",
    "read_instructions",
    "reference_of",
    "refund_number",
    "routes_of",
    "signing_key",
]
