"""Retention of the tables of refunds."""

from meterai.plumbing.work.retention import MONEY, WEEK, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "refund_keys",
        "Kept with its refund, so that a repeat finds its answer at any later time. Keys chosen "
        "by the sender, and hashes.",
    ),
    Stays("claim_links", MONEY),
    Leaves(
        "accounts_that_were_typed",
        "account_claims",
        ("account_id", "claim_id"),
        WEEK,
        "asked_at",
        "A daily limit bounds queries to banks; support can look at typing errors for a week. "
        "The account may belong to somebody else. The accepted account is kept with the money "
        "(payees).",
        only="state <> 'held'",
    ),
)
