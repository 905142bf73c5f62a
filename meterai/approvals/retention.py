"""Retention rules of approvals, with reasons."""

from meterai.plumbing.work.retention import YEAR, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "old_approvals",
        "approvals",
        ("approval_id",),
        YEAR,
        "decided_at",
        "An act that was asked for may name a person, and is looked into within a year. Who asked, who decided, why, the "
        "sums and the hash of what was shown stay: they prove that two people acted.",
        only="forecast <> '{}'",
        blanks={"arguments": "'{}'", "forecast": "'{}'", "note": "''", "found": "NULL"},
    ),
)
