"""What the audit knows of the columns of refunds."""

from meterai.plumbing.audited import WORK, Audited, Subject, fact

AUDITED = Audited(
    facts=(
        fact(
            "refunds",
            "requested_at",
            "refund_id cause_key cause order_id attempt_id payment amount stamps refund_no due_at",
        ),
        fact("refunds", "settled_at", "refund_id provider_refund_no", name="refunds_settled"),
        fact("refund_keys", "used_at", "idempotency_key request_hash refund_id"),
    ),
    checked={
        "refunds": {
            "state": ("order_stands_where_its_refunds_do", "refund_times_are_possible"),
            "tries": ("refund_times_are_possible",),
            "reversed": ("no_money_lies_about", "entries_are_what_their_causes_make"),
            "look_at": ("refund_times_are_possible",),
            "try_at": ("refund_times_are_possible", "no_refund_past_its_due_time_unnoticed"),
        },
    },
    unchecked={
        "refunds": {
            "last_answer": WORK,
            "tried_at": WORK,
            "leased_until": "For how long nobody else sends it; looked at by when it is late.",
        },
    },
    subjects={
        "refunds": Subject("order_id"),
    },
    of_accounts=("refund_keys",),
    unfinished=(
        "SELECT account_id, order_id FROM refunds WHERE state IN ('requested', 'sent', 'refused')",
    ),
)
