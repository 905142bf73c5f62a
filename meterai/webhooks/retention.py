"""Retention rules of webhooks."""

from meterai.plumbing.work.retention import MONTH, QUARTER, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "webhook_attempts",
        "webhook_attempts",
        ("account_id", "message_id", "number"),
        MONTH,
        "began_at",
        "The answers of receivers are reviewed within days, and their first bytes may contain "
        "anything.",
    ),
    Leaves(
        "webhook_messages",
        "webhook_messages",
        ("account_id", "message_id"),
        MONTH,
        "made_at",
        "A message can be sent again for a month; the API shows its subject for as long as it is "
        "stored there.",
        only="state <> 'waiting'",
    ),
    Leaves(
        "webhook_endpoints",
        "webhook_endpoints",
        ("account_id", "endpoint_id"),
        QUARTER,
        "moved_at",
        "After its removal an endpoint is named by messages for a month; its creation and "
        "removal are in the audit trail.",
        only="state = 'removed'",
    ),
)
