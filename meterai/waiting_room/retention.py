"""Retention of the tables of the waiting room."""

from meterai.plumbing.work.retention import HALF_YEAR, WEEK, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "waiting_room_lines",
        "Few rows; they prove permanently that a line was served in order.",
        harmless={"name": "the operator's name for a line"},
    ),
    Leaves(
        "accounts_of_turns",
        "waiting_room_turns",
        ("line_id", "number"),
        HALF_YEAR,
        "admitted_at",
        "The holder of a turn, for complaints; the row without the holder proves permanently "
        "that the number had its turn at that time.",
        only="used_by IS NOT NULL",
        blanks={"used_by": "NULL"},
    ),
    Leaves(
        "places_in_lines",
        "waiting_room_places",
        ("account_id", "line_id"),
        HALF_YEAR,
        "kept_at",
        "Proof that somebody was in line before a deadline, kept as long as deadlines are "
        "disputed.",
    ),
    Stays("waiting_room_samples", "The course of each rush; no personal data."),
    Stays("waiting_room_spaced", "Deleted once passed; a few numbers, without personal data."),
    Stays("waiting_room_gaps", "Deleted once passed; a few numbers, without personal data."),
    Leaves(
        "loads_of_processes",
        "waiting_room_loads",
        ("process",),
        WEEK,
        "told_at",
        "The last report of a process that may have ended.",
    ),
)
