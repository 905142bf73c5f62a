"""Declarations about the tables that belong to no room: those of jobs and migrations.

Tables of a room are in its `room.py`; `apps/rooms.py: owners_of_tables` has all of them.
"""

from meterai.plumbing.db.audited import (
    WORK,
    Audited,
    ClockColumn,
    DueWork,
    MarkEvidence,
    global_fact,
)

GLOBAL_TABLES = {"applied_migrations": "the migrations that were applied to this database"}
TABLES = frozenset({*GLOBAL_TABLES, "jobs", "dead_jobs", "listeners", "round_faults"})
AUDITED = Audited(
    clocks=(
        ClockColumn("jobs", "run_at", "now() + interval '10 minutes'"),
        ClockColumn("round_faults", "try_at", "now() + interval '1 day'"),
    ),
    dues=(DueWork("jobs", "t.run_at"),),
    evidence=(MarkEvidence("jobs", "t.tries < 0", "false"),),  # it would never have failed for long
    facts=(global_fact("applied_migrations", "applied_at", "name sha256"),),
    shown={
        "dead_jobs": (
            "Work that was given up: its missing result is found by other invariants, "
            "and the list only gives the reason."
        ),
        "jobs": {
            "A name that nothing else uses.": "job_id",
            "The result of a handler is checked in the tables that it changes.": "handler handlers",
            WORK: "last_fault",
        },
        "listeners": "Subscriptions to events; the events themselves do not depend on them.",
        "round_faults": "The reason for a delay; the delay itself is checked separately.",
    },
)
