"""Rules by which the audit checks the columns of the tables of audit."""

from meterai.plumbing.db.audited import ONE_ROW, Audited, ClockColumn, MarkEvidence

AUDITED = Audited(
    clocks=(
        ClockColumn("audit_turn", "leased_until", "now() + interval '3 hours'"),
        ClockColumn("bank_nights", "leased_until", "now() + interval '1 day'"),
    ),
    evidence=(
        MarkEvidence(
            "audit_turn",
            "t.ended_at IS NOT NULL AND cardinality(t.broken) = 0",
            "EXISTS (SELECT 1 FROM audit_points)",
        ),
    ),
    shown={
        "bank_nights": (
            "Nights of earlier releases; the result of a night is also in the audit trail."
        ),
        "audit_turn": {
            ONE_ROW: "only_row",
            "Which process audits next, and when; a completed audit is a row in audit_points.": "leased_until",
            "Shown beside the result of the audit.": "ended_at",
            "Shown; the next audit checks each invariant again.": "broken",
        },
        "audit_points": {
            "Time of writing; the data that the point covers are in its hash.": "taken_at",
        },
    },
)
