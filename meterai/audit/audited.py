"""What the audit knows of the columns of audit."""

from meterai.plumbing.db.audited import ONE_ROW, Audited, Clock, Evidence

AUDITED = Audited(
    clocks=(
        Clock("audit_turn", "leased_until", "now() + interval '3 hours'"),
        Clock("bank_nights", "leased_until", "now() + interval '1 day'"),
    ),
    evidence=(
        Evidence(
            "audit_turn",
            "t.ended_at IS NOT NULL AND cardinality(t.broken) = 0",
            "EXISTS (SELECT 1 FROM audit_points)",
        ),
    ),
    checked={
        "audit_points": dict.fromkeys(
            ("point", "kind", "covers_from", "covers_until", "history", "totals", "chained"),
            ("history_is_as_it_was_audited",),
        ),
    },
    unchecked={
        "bank_nights": dict.fromkeys(
            (
                "night",
                "begins",
                "leased_until",
                "tries",
                "fault",
                "compared_at",
                "payments",
                "differences",
                "unreadable",
            ),
            "Nights of releases before; what a night found is in the audit trail too.",
        ),
        "audit_turn": {
            "only_row": ONE_ROW,
            "leased_until": "Who audits next, and when; that somebody did is a point.",
            "ended_at": "Shown beside what was found.",
            "broken": "Shown; each promise is asked again.",
        },
        "audit_points": {"taken_at": "When it was written; what it covers is in its hash."},
    },
)
