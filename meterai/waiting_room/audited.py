"""What the audit knows of the columns of lines."""

from meterai.plumbing.db.audited import Audited, Clock, global_fact

_PACE = "How fast it goes, measured anew each second; nobody is put before another by it."
_WORD = "Shown to those who wait; what an operator set is in the audit trail."
_ORDER = ("lines_only_go_forward", "turns_follow_the_line")

AUDITED = Audited(
    clocks=(
        Clock("waiting_room_lines", "gathers_at", "now() + interval '367 days'"),
        Clock("waiting_room_lines", "opens_at", "now() + interval '367 days'"),
        Clock("waiting_room_lines", "closes_at", "now() + interval '367 days'"),
    ),
    facts=(
        global_fact("waiting_room_lines", "created_at", "line_id name act"),
        global_fact(
            "waiting_room_turns",
            "admitted_at",
            "line_id number holder taken_at shown_low shown_high waited",
        ),
        global_fact(
            "waiting_room_samples",
            "at",
            "line_id serving next_number admitted inside rate is_engaged is_paused refused",
        ),
    ),
    checked={
        "waiting_room_lines": {
            "serving": _ORDER,
            "next_number": ("lines_only_go_forward", "places_are_numbers_that_were_given"),
            "next_serial": ("places_are_numbers_that_were_given",),
        },
        "waiting_room_turns": {
            "used_by": ("turns_are_used_once", "one_turn_for_one_account"),
            "ended_at": ("turns_are_used_once", "one_turn_for_one_account"),
            "called_with": ("turns_follow_the_line",),
        },
        "waiting_room_places": {
            "line_id": ("places_are_numbers_that_were_given",),
            "number": ("places_are_numbers_that_were_given",),
            "holder": ("places_are_numbers_that_were_given",),
            "taken_at": ("places_are_numbers_that_were_given",),
            "kept_at": ("places_are_numbers_that_were_given",),
            "told_at": ("places_are_numbers_that_were_given",),
            "serial": ("places_are_numbers_that_were_given",),
            "since": ("places_are_numbers_that_were_given",),
        },
    },
    unchecked={
        "waiting_room_lines": {
            **dict.fromkeys(
                (
                    "rate",
                    "rate_max",
                    "policy",
                    "carried",
                    "called",
                    "spaced",
                    "away",
                    "flow_fast",
                    "flow_slow",
                    "spread",
                    "held_share",
                    "learned_to",
                    "busy_at",
                    "decreased_at",
                    "engaged_at",
                    "advanced_at",
                ),
                _PACE,
            ),
            **dict.fromkeys(
                (
                    "state",
                    "is_automatic",
                    "is_engaged",
                    "is_paused",
                    "reason_id",
                    "reason_en",
                    "gathers_at",
                    "opens_at",
                    "closes_at",
                    "ended_at",
                    "document",
                ),
                _WORD,
            ),
        },
        "waiting_room_places": {
            "account_id": "Whose place it is: another's is lost to its holder, who has it in the ticket.",
            "wants_mail": "A wish of its account.",
            "shown_low": "The range that was told; counted once its turn was given, which is a fact.",
            "shown_high": "As shown_low.",
        },
        "waiting_room_gaps": dict.fromkeys(
            ("line_id", "first", "last"), "Numbers that nobody has; forgotten once they are passed."
        ),
        "waiting_room_samples": {"called": _PACE},
        "waiting_room_spaced": dict.fromkeys(
            ("line_id", "first", "last", "places"),
            "How many are called when; forgotten once they are.",
        ),
        "waiting_room_loads": dict.fromkeys(
            ("process", "told_at", "refused", "arrivals", "pressure", "is_crowded"),
            "What a process said of itself some seconds ago; forgotten after a week.",
        ),
    },
)
