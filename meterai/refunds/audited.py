"""What the audit knows of the columns of refunds."""

from meterai.plumbing.audited import Audited, fact

AUDITED = Audited(
    facts=(fact("refund_keys", "used_at", "idempotency_key request_hash refund_id"),),
    of_accounts=("refund_keys",),
)
