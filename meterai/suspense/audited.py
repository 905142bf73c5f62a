"""What the audit knows of the columns of suspense."""

from meterai.plumbing.db.audited import Audited, Clock, Due, Evidence, Subject, global_fact

AUDITED = Audited(
    clocks=(Clock("suspense_items", "due_at", "t.opened_at + interval '7 days'"),),
    # By a person, who was told of it for a week.
    dues=(Due("suspense_items", "t.due_at", "t.state = 'open'", "interval '0'"),),
    evidence=(Evidence("suspense_items", "t.state = 'open'", "t.owner <> ''"),),
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
    checked={
        "suspense_items": {
            "told": ("suspended_news_is_as_it_came",),
            "owner": ("marks_of_nobody_have_their_evidence",),
            "due_at": ("times_of_nobody_hide_no_work", "work_is_done_in_time"),
        },
    },
    unchecked={
        "suspense_items": {
            "told_at": "When the bank repeated itself.",
            "times_told": "When the bank repeated itself.",
        },
    },
    subjects={
        "suspense_items": Subject("item_id", is_global=True),
    },
)
