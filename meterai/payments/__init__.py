"""Payments: money in and out through providers, each by a rail of its own.  Knows no orders.

Promises this room keeps
  * Our intent is committed before the provider is called; an unknown outcome is asked for.
  * Notification, status question and browser return end in one capture, once per payment.
  * A notification is kept before it is answered; a wrong signature or a replay moves nothing, and
    what one provider signs moves nothing of another.
  * Only a payment that its provider says is paid moves money; what is signed and cannot be booked
    is in suspense.
  * What nobody should pay any more is taken back at its provider.
  * One cause, one refund: the number we give it at the provider is the same in every try.
  * What the provider gives back of its own accord is booked from its record: no refund pays it again.
  * Money comes and goes through this room alone: no other knows a provider, and of this one only
    the packages of `adapters` know what one speaks.

It owns payments, what was taken back of them and their refunds; the room above says why money goes back, and how much of
a payment it has use for.  Calls ledger, suspense.  Tells the rooms above by `payment_captured`, `payment_declined`,
`payment_denied`, `payment_won`, `payment_moved` and `money_to_return`.
"""

from meterai.payments.adapters import midtrans, snap
from meterai.payments.adapters.snap import (
    NOTIFY_PATH,
    SnapSettings,
    client_secret,
    payee,
    signing_key,
)
from meterai.payments.asking import BuyerQuestions
from meterai.payments.installed import Rails
from meterai.payments.model import (
    ATTEMPTS_PER_SUBJECT_MAX,
    REFERENCE_PREFIX,
    REFUND_PREFIX,
    AccountNumber,
    AmountNotPayable,
    Attempt,
    AttemptsSpent,
    AttemptState,
    CallNotBegun,
    Captured,
    Channel,
    DoorKind,
    Heard,
    Instructions,
    Method,
    MethodOut,
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
from meterai.payments.rails import Payouts, RailKinds
from meterai.payments.record import RecordedPayment, RecordOutcome, take_record
from meterai.payments.refunds.model import (
    REFUND,
    NotRerouted,
    OpenRefunds,
    OwedByClaim,
    Payee,
    Refund,
    RefundCause,
    RefundFigures,
    RefundState,
    Stage,
    Way,
    refund_lease_seconds,
    stage_of,
)
from meterai.payments.refunds.service import RefundSender
from meterai.payments.refunds.store import (
    compensations_of,
    given_back_as_told,
    not_booked_of,
    open_refunds,
    other_buyers_of,
    refund,
    refund_marks,
    refunds_by_id,
    refunds_by_provider_number,
    refunds_of_account,
    refunds_of_subject,
    refunds_of_subjects,
    refunds_open_now,
    refunds_within,
)
from meterai.payments.refunds.ways import (
    compensate,
    current_payee,
    name_payee,
    owed_by_claim,
    reroute,
    retry,
)
from meterai.payments.service import (
    PaymentService,
    apply,
    ask_about,
    attempts_of,
    close,
    connected,
    new_attempt,
)
from meterai.payments.settings import PaymentSettings
from meterai.payments.store import (
    captured_anywhere,
    captured_of,
    confirm_by_record,
    heard_of,
    is_covered,
    routes_of,
)
from meterai.payments.transfers.model import TRANSFER_PREFIX, FloatBalance, FloatNeed, Floats
from meterai.payments.transfers.store import confirm_by_record as confirm_transfers_by_record
from meterai.payments.transfers.store import floats

__all__ = [
    "ATTEMPTS_PER_SUBJECT_MAX",
    "NOTIFY_PATH",
    "REFERENCE_PREFIX",
    "REFUND",
    "REFUND_PREFIX",
    "TRANSFER_PREFIX",
    "AccountNumber",
    "AmountNotPayable",
    "Attempt",
    "AttemptState",
    "AttemptsSpent",
    "BuyerQuestions",
    "CallNotBegun",
    "Captured",
    "Channel",
    "DoorKind",
    "FloatBalance",
    "FloatNeed",
    "Floats",
    "Heard",
    "Instructions",
    "Method",
    "MethodOut",
    "Movement",
    "MovementKind",
    "NotRerouted",
    "Notification",
    "OddLine",
    "OpenRefunds",
    "OutcomeUnknown",
    "OwedByClaim",
    "Payee",
    "PaymentService",
    "PaymentSettings",
    "Payouts",
    "ProviderRefused",
    "ProviderUnreachable",
    "Qr",
    "RailKinds",
    "RailNotConfigured",
    "Rails",
    "RecordOutcome",
    "RecordedPayment",
    "Redirect",
    "Refund",
    "RefundCause",
    "RefundFigures",
    "RefundLine",
    "RefundSender",
    "RefundState",
    "RefundWish",
    "SnapSettings",
    "Stage",
    "Way",
    "apply",
    "ask_about",
    "attempts_of",
    "captured_anywhere",
    "captured_of",
    "client_secret",
    "close",
    "compensate",
    "compensations_of",
    "confirm_by_record",
    "confirm_transfers_by_record",
    "connected",
    "current_payee",
    "floats",
    "given_back_as_told",
    "heard_of",
    "is_covered",
    "midtrans",
    "name_payee",
    "new_attempt",
    "not_booked_of",
    "open_refunds",
    "other_buyers_of",
    "owed_by_claim",
    "parse_number",
    "parse_reference",
    "payee",
    "read_instructions",
    "reference_of",
    "refund",
    "refund_lease_seconds",
    "refund_marks",
    "refund_number",
    "refunds_by_id",
    "refunds_by_provider_number",
    "refunds_of_account",
    "refunds_of_subject",
    "refunds_of_subjects",
    "refunds_open_now",
    "refunds_within",
    "reroute",
    "retry",
    "routes_of",
    "signing_key",
    "snap",
    "stage_of",
    "take_record",
]
