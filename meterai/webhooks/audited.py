"""What the audit knows of the columns of webhooks."""

from meterai.plumbing.db.audited import SHOWN, WORK, Audited, Clock, Due

_TOLD = "What is told of money and stamps decides nothing of them."
_DIGEST = ("webhook_is_what_the_trail_says",)
_STATES = ("webhooks_and_messages_are_in_states_that_agree",)
AUDITED = Audited(
    clocks=(
        Clock("webhook_endpoints", "before_until", "now() + interval '25 hours'"),
        # The longest pause of the schedule and its chance, or what a receiver asks for.
        Clock("webhook_messages", "try_at", "now() + interval '27 hours'"),
    ),
    dues=(
        Due(
            "webhook_messages",
            "t.try_at",
            "t.state = 'waiting' AND NOT t.is_aside",
            "interval '1 hour'",
        ),
    ),
    checked={
        "webhook_messages": {
            "state": _STATES,
            "try_at": ("times_hide_no_work", "work_is_done_in_time"),
            "is_aside": _STATES,
            "delivered_at": _STATES,
        },
        "webhook_endpoints": {
            "is_aside": _STATES,
            "state": _STATES,
            "before_until": ("times_hide_no_work",),
            "url": _DIGEST,
            "secret": _DIGEST,
        },
    },
    unchecked={
        "webhook_endpoints": {
            **dict.fromkeys(("account_id", "endpoint_id"), _TOLD),
            **dict.fromkeys(
                ("description", "events", "why", "made_at", "moved_at", "failed_messages"),
                SHOWN,
            ),
            "secret_before": "Signs messages for a day beside `secret`; changed, a receiver refuses them.",
            **dict.fromkeys(
                ("idempotency_key", "request_hash", "rotate_key"),
                "A repeat is the same endpoint; money and stamps are not moved by one.",
            ),
            **dict.fromkeys(("failing_since", "aside_since", "tried_at"), WORK),
        },
        "webhook_messages": {
            **dict.fromkeys(
                ("account_id", "message_id", "endpoint_id", "type", "body", "made_at"), _TOLD
            ),
            **dict.fromkeys(("tries", "attempts"), WORK),
        },
        "webhook_attempts": dict.fromkeys(
            (
                "account_id",
                "message_id",
                "number",
                "began_at",
                "ms",
                "status",
                "answer",
                "failure",
            ),
            SHOWN,
        ),
    },
    of_accounts=("webhook_endpoints", "webhook_messages"),
)
