"""Retention rules of collectors."""

from meterai.plumbing.work.retention import MONEY, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("collectors", MONEY),
    Stays("collector_terms", MONEY),
    Stays("collector_months", MONEY),
    Stays("credit_draws", MONEY),
    Stays("credit_returns", MONEY),
    Stays("collector_deposits", MONEY),
    Stays("collector_reports", MONEY),
    Stays("collector_reminders", "So that nobody is reminded twice; a few rows of a month."),
    Leaves(
        "unstamped_documents",
        "unstamped_documents",
        ("account_id", "document_id"),
        10 * YEAR,
        "told_at",
        "Who the other party of a document is: the law has a collector keep what its returns are made of for ten years "
        "(UU KUP 28(11)).",
    ),
)
