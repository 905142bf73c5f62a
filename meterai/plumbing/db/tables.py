"""The tables that are of no room: what keeps work and migrations going.

Those of a room are in its `room.py`; `apps/rooms.py: owners_of_tables` has all of them.
"""

from meterai.plumbing.db.audited import WORK, Audited, Clock, Due, Evidence, global_fact

TABLES = frozenset({"applied_migrations", "jobs", "dead_jobs", "listeners", "round_faults"})
AUDITED = Audited(
    clocks=(
        Clock("jobs", "run_at", "now() + interval '10 minutes'"),
        Clock("round_faults", "try_at", "now() + interval '1 day'"),
    ),
    dues=(Due("jobs", "t.run_at"),),
    evidence=(Evidence("jobs", "t.tries < 0", "false"),),  # it would never have failed for long
    facts=(global_fact("applied_migrations", "applied_at", "name sha256"),),
    checked={
        "jobs": {
            "account_id": ("no_money_lies_about",),
            "kind": ("no_money_lies_about",),
            "facts": ("no_money_lies_about",),
            "run_at": ("times_hide_no_work", "work_is_done_in_time"),
            "created_at": ("times_hide_no_work",),
            "tries": ("marks_have_their_evidence",),
        },
    },
    unchecked={
        "dead_jobs": dict.fromkeys(
            [
                "account_id",
                "job_id",
                "handler",
                "kind",
                "facts",
                "created_at",
                "died_at",
                "tries",
                "fault",
            ],
            "Work that was given up: what it would have done is looked at where it would have left "
            "something, and the list only says why it has not.",
        ),
        "jobs": {
            "job_id": "A name that nothing else uses.",
            **dict.fromkeys(
                ("handler", "handlers"),
                "What a handler would have done is looked at where it would have left something.",
            ),
            "last_fault": WORK,
        },
        "listeners": dict.fromkeys(
            ("account_id", "kind"), "Whom to tell; what it is told changes nothing of its own."
        ),
        "round_faults": dict.fromkeys(
            [
                "account_id",
                "round",
                "subject",
                "tries",
                "code",
                "last_fault",
                "first_at",
                "last_at",
                "try_at",
            ],
            "Why something is late; that it is late is looked at by itself.",
        ),
    },
)
