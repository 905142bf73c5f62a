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
        "bank_nights": "Nights of releases before; what a night found is in the audit trail too.",
        "audit_turn": {
            ONE_ROW: "only_row",
            "Who audits next, and when; that somebody did is a point.": "leased_until",
            "Shown beside what was found.": "ended_at",
            "Shown; each promise is asked again.": "broken",
        },
        "audit_points": {
            "When it was written; what it covers is in its hash.": "taken_at",
        },
    },
)
