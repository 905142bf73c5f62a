"""Retention rules of webhooks."""

from meterai.plumbing.work.retention import MONTH, QUARTER, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "webhook_attempts",
        "webhook_attempts",
        ("account_id", "message_id", "number"),
        MONTH,
        "began_at",
        "What a receiver answered is asked about within days, and its first bytes may say anything.",
    ),
    Leaves(
        "webhook_messages",
        "webhook_messages",
        ("account_id", "message_id"),
        MONTH,
        "made_at",
        "It can be replayed for a month; what it told of is shown over the API for as long as it is kept there.",
        only="state <> 'waiting'",
    ),
    Leaves(
        "webhook_endpoints",
        "webhook_endpoints",
        ("account_id", "endpoint_id"),
        QUARTER,
        "moved_at",
        "Removed, it is named by messages of a month; the trail says who made and removed it.",
        only="state = 'removed'",
    ),
)
