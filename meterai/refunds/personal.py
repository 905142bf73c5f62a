"""What refunds keep of a person."""

from meterai.plumbing.personal import Basis, Held, Kept, Personal, Wait

PERSONAL = Personal(
    basis=Basis.LAW,
    recipients=("bank",),
    tables=(
        Held(
            table="refunds",
            columns="refund_id order_id requested_at cause amount stamps state refund_no provider_refund_no payment"
            " due_at settled_at reversed",
            inner="account_id cause_key attempt_id try_at tries last_answer leased_until look_at tried_at",
            kept=Kept.TAX,
            since="t.requested_at",
        ),
        Held(
            table="refund_keys",
            columns="refund_id idempotency_key used_at",
            inner="account_id request_hash",
            kept=Kept.TAX,
            since="t.used_at",
        ),
    ),
    waits=(
        Wait(
            "refunds",
            "SELECT count(*) AS count, max(due_at) AS until FROM refunds WHERE account_id = %s"
            " AND state IN ('requested', 'sent', 'refused')",
        ),
    ),
)
