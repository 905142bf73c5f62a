"""Retention of the tables of the waiting room."""

from meterai.plumbing.work.retention import HALF_YEAR, WEEK, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "waiting_room_lines",
        "Few rows; that a line was served in order is shown for ever.",
        harmless={"name": "what an operator calls a line"},
    ),
    Leaves(
        "accounts_of_turns",
        "waiting_room_turns",
        ("line_id", "number"),
        HALF_YEAR,
        "admitted_at",
        "Whose turn it was, for complaints; that a number had its turn then is shown for ever.",
        only="used_by IS NOT NULL",
        blanks={"used_by": "NULL"},
    ),
    Leaves(
        "places_in_lines",
        "waiting_room_places",
        ("account_id", "line_id"),
        HALF_YEAR,
        "kept_at",
        "That somebody was in line before a deadline, as long as deadlines are argued about.",
    ),
    Stays("waiting_room_samples", "How each rush went; nothing of a person."),
    Stays("waiting_room_spaced", "Forgotten once it was passed; a few numbers, of nobody."),
    Stays("waiting_room_gaps", "Forgotten once it was passed; a few numbers, of nobody."),
    Leaves(
        "loads_of_processes",
        "waiting_room_loads",
        ("process",),
        WEEK,
        "told_at",
        "The last word of a process that may have ended.",
    ),
)
