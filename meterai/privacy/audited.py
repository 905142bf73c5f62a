"""Rules by which the audit checks the columns of the tables of privacy."""

from meterai.plumbing.db.audited import WORK, Audited, ClockColumn, DueWork, fact, global_fact

AUDITED = Audited(
    clocks=(
        ClockColumn("breaches", "due_at", "t.known_at + interval '4 days'"),
        ClockColumn("privacy_requests", "acts_at", "t.asked_at + interval '100 days'"),
        ClockColumn("privacy_requests", "due_at", "t.asked_at + interval '4 days'"),
        ClockColumn(
            "privacy_requests", "look_at", "greatest(t.acts_at, now()) + interval '3 days'"
        ),
    ),
    dues=(
        DueWork("privacy_requests", "t.look_at", "t.look_at IS NOT NULL", "interval '1 hour'"),
        DueWork(
            "breaches",
            "t.subjects_from",
            "t.state = 'open' AND t.subjects_told_at IS NULL AND t.subjects_from IS NOT NULL",
            "interval '1 day'",
        ),
    ),
    facts=(
        fact("privacy_requests", "asked_at", "request_id kind due_at acts_at"),
        global_fact(
            "breaches",
            "opened_at",
            "breach_id known_at due_at exposed_id exposed_en happened_id happened_en handling_id handling_en accounts",
        ),
    ),
    shown={
        "privacy_requests": {
            "Tables that were erased or kept; the erasure itself is visible in them.": "fates",
        },
        "breaches": {
            WORK: "subjects_after subjects_told",
            "A constraint requires it for a breach that was closed without notification.": "not_told",
        },
    },
    of_accounts=("privacy_requests",),
)
