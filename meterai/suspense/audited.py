"""Rules by which the audit checks the columns of the tables of suspense."""

from meterai.plumbing.db.audited import (
    Audited,
    ClockColumn,
    DueWork,
    MarkEvidence,
    SubjectColumn,
    global_fact,
)

AUDITED = Audited(
    clocks=(ClockColumn("suspense_items", "due_at", "t.opened_at + interval '7 days'"),),
    # A person resolves the item.
    dues=(DueWork("suspense_items", "t.due_at", "t.state = 'open'", "interval '0'"),),
    evidence=(MarkEvidence("suspense_items", "t.state = 'open'", "t.owner <> ''"),),
    facts=(
        global_fact(
            "suspense_items",
            "opened_at",
            "item_id item_key source reason reference payment amount booked told_sha256",
        ),
        global_fact(
            "suspense_items",
            "resolved_at",
            "item_id state resolution resolved_by note",
            name="suspense_items_resolved",
        ),
        global_fact(
            "suspense_items", "opened_at", "item_id difference", name="suspense_items_difference"
        ),
    ),
    shown={
        "suspense_items": {
            "Time when the bank repeated its message.": "told_at times_told",
        },
    },
    subjects={
        "suspense_items": SubjectColumn("item_id", is_global=True),
    },
)
