"""What the audit knows of the columns of suspense."""

from meterai.plumbing.audited import Audited, Clock, Subject, global_fact

AUDITED = Audited(
    clocks=(Clock("suspense_items", "due_at", "t.opened_at + interval '7 days'"),),
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
            "due_at": ("suspense_is_looked_at_in_time",),
        },
    },
    unchecked={
        "suspense_items": {
            "owner": "Who is asked to look first; whoever looks is in the audit trail.",
            "told_at": "When the bank repeated itself.",
            "times_told": "When the bank repeated itself.",
        },
    },
    subjects={
        "suspense_items": Subject("item_id", is_global=True),
    },
)
