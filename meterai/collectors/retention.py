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
    Stays("collector_reminders", "Prevents a second reminder; a few rows for each month."),
    Leaves(
        "unstamped_documents",
        "unstamped_documents",
        ("account_id", "document_id"),
        10 * YEAR,
        "told_at",
        "The identity of the other party of a document: by law a collector keeps the data of its "
        "returns for ten years (UU KUP 28(11)).",
    ),
)
