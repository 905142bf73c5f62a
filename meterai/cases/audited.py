"""Rules by which the audit checks the columns of the tables of cases."""

from meterai.plumbing.db.audited import SHOWN, Audited, ClockColumn, DueWork, fact

AUDITED = Audited(
    clocks=(
        ClockColumn("cases", "due_at", "now() + interval '30 days'"),
        ClockColumn("cases", "closes_at", "now() + interval '100 days'"),
    ),
    dues=(
        DueWork("cases", "t.closes_at", "t.state IN ('answered', 'asked')", "interval '1 hour'"),
    ),
    facts=(
        fact("cases", "opened_at", "case_id matter about order_id language joins_key"),
        fact("case_messages", "written_at", "case_id message_id author kind staff_id"),
    ),
    shown={
        "cases": {
            SHOWN: "contact answer_facts",
        },
        "case_messages": {
            SHOWN: "words",
            "A repeat is the same complaint; a complaint moves no money and no stamps.": "idempotency_key",
            "With its key.": "request_hash",
        },
        "case_pictures": {
            SHOWN: "picture_id webp",
            "Time when the row is deleted (retention).": "added_at",
        },
    },
    of_accounts=("cases", "case_messages", "case_pictures"),
)
