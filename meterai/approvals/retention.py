"""Retention rules of approvals, with reasons."""

from meterai.plumbing.work.retention import YEAR, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "old_approvals",
        "approvals",
        ("approval_id",),
        YEAR,
        "decided_at",
        "A request may name a person, and is reviewed within a year. The requester, the decider, "
        "the reason, the sums and the hash of the shown forecast stay: they prove that two "
        "people acted.",
        only="forecast <> '{}'",
        blanks={"arguments": "'{}'", "forecast": "'{}'", "note": "''", "found": "NULL"},
    ),
)
