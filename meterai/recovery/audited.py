"""Rules by which the audit checks the columns of the tables of recovery."""

from meterai.plumbing.db.audited import Audited, global_fact

_COUNTED = "The earliest time of the next step; each step is a fact and is checked."
AUDITED = Audited(
    facts=(
        global_fact("recoveries", "started_at", "recovery_id incident_id before"),
        global_fact("recovery_steps", "entered_at", "recovery_id number state event actor numbers"),
    ),
    shown={
        "recoveries": {
            _COUNTED: "is_going backs holds_since worse_since looked_at",
        },
    },
)
