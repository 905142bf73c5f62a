"""Retention rules of the tables of audit."""

from meterai.plumbing.work.retention import ONE, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "audit_points",
        "The chain of clean audits; a point proves something only together with all earlier "
        "points. Hashes, sums and times.",
    ),
    Stays("audit_turn", ONE),
    Stays(
        "bank_nights",
        "Results of nights before records were compared day by day (record_days); one row each, "
        "counts and times.",
        harmless={"fault": "the code of one of our refusals"},
    ),
)
