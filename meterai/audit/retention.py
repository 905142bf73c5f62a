"""Retention rules of the tables of audit."""

from meterai.plumbing.work.retention import ONE, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "audit_points",
        "The chain of clean audits; a point is only worth something with all before it. Hashes, "
        "sums and times.",
    ),
    Stays("audit_turn", ONE),
    Stays(
        "bank_nights",
        "Nights before records were compared day by day (record_days); a row for each, counts and times.",
        harmless={"fault": "the code of a refusal of ours"},
    ),
)
