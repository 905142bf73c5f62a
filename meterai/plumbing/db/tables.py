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

GLOBAL_TABLES = {"applied_migrations": "which files were applied to this database"}
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
        "dead_jobs": "Work that was given up: what it would have done is looked at where it would have left something, and the list only says why it has not.",
        "jobs": {
            "A name that nothing else uses.": "job_id",
            "What a handler would have done is looked at where it would have left something.": "handler handlers",
            WORK: "last_fault",
        },
        "listeners": "Whom to tell; what it is told changes nothing of its own.",
        "round_faults": "Why something is late; that it is late is looked at by itself.",
    },
)
