"""Retention rules of notifications, with reasons."""

from meterai.plumbing.work.retention import QUARTER, WEEK, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "sign_in_mails",
        "mails",
        ("account_id", "mail_id"),
        WEEK,
        "queued_at",
        "As the code in it: the address may have no account.",
        only="state <> 'queued' AND template = 'sign_in_code'",
    ),
    Leaves(
        "mail_contents",
        "mails",
        ("account_id", "mail_id"),
        QUARTER,
        "queued_at",
        "Questions about a receipt and its content come within weeks. The fact of sending "
        "stays, without the address: it proves that an order's owner was told.",
        only="state <> 'queued' AND recipient <> '' AND template <> 'sign_in_code'",
        blanks={"recipient": "''", "facts": "'{}'", "last_fault": "NULL"},
    ),
)
