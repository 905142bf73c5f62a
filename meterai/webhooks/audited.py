"""Rules by which the audit checks the columns of the tables of webhooks."""

from meterai.plumbing.db.audited import SHOWN, WORK, Audited, ClockColumn, DueWork

_TOLD = "A message about money or stamps; their state does not depend on it."
AUDITED = Audited(
    clocks=(
        ClockColumn("webhook_endpoints", "before_until", "now() + interval '25 hours'"),
        # Bound: the longest pause, of the schedule with its jitter or as requested by a receiver, plus a margin.
        ClockColumn("webhook_messages", "try_at", "now() + interval '27 hours'"),
    ),
    dues=(
        DueWork(
            "webhook_messages",
            "t.try_at",
            "t.state = 'waiting' AND NOT t.is_aside",
            "interval '1 hour'",
        ),
    ),
    shown={
        "webhook_endpoints": {
            _TOLD: "account_id endpoint_id",
            SHOWN: "description events why made_at moved_at failed_messages",
            (
                "Signs messages for a day beside `secret`; a changed value makes a receiver refuse "
                "them."
            ): "secret_before",
            "A repeat returns the same endpoint; money and stamps do not depend on it.": "idempotency_key request_hash rotate_key",
            WORK: "failing_since aside_since tried_at",
        },
        "webhook_messages": {
            _TOLD: "account_id message_id endpoint_id type body made_at",
            WORK: "tries attempts",
        },
        "webhook_attempts": SHOWN,
    },
    of_accounts=("webhook_endpoints", "webhook_messages"),
)
