"""Retention of the tables of refunds."""

from meterai.plumbing.work.retention import MONEY, WEEK, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "refund_keys",
        "With its refund: a repeat finds its answer, however late. Keys of the sender's own making, and "
        "hashes.",
    ),
    Stays("claim_links", MONEY),
    Leaves(
        "accounts_that_were_typed",
        "account_claims",
        ("account_id", "claim_id"),
        WEEK,
        "asked_at",
        "A day limits how often a bank is asked; a week lets support see what was typed wrongly. It may be of somebody "
        "else. The account that was named stays where its money was (payees).",
        only="state <> 'held'",
    ),
)
