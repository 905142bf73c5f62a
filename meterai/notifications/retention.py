"""Retention rules of notifications, with reasons."""

from meterai.plumbing.work.retention import QUARTER, WEEK, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "sign_in_mails",
        "mails",
        ("account_id", "mail_id"),
        WEEK,
        "queued_at",
        "As for the code that the mail contains: the address may have no account.",
        only="state <> 'queued' AND template = 'sign_in_code'",
    ),
    Leaves(
        "mail_contents",
        "mails",
        ("account_id", "mail_id"),
        QUARTER,
        "queued_at",
        "Questions about the receipt and content of a mail come within weeks. The fact of "
        "sending stays, without the address: it proves that the owner of an order was notified.",
        only="state <> 'queued' AND recipient <> '' AND template <> 'sign_in_code'",
        blanks={"recipient": "''", "facts": "'{}'", "last_fault": "NULL"},
    ),
)
