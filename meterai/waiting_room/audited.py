"""Rules by which the audit checks the columns of the tables of the waiting room."""

from meterai.plumbing.db.audited import Audited, ClockColumn, global_fact

_PACE = (
    "The pace of a line, measured again each second; the order in the line does not depend on it."
)
_WORD = "Shown to the visitors who wait; the settings made by an operator are in the audit trail."

AUDITED = Audited(
    clocks=(
        ClockColumn("waiting_room_lines", "gathers_at", "now() + interval '367 days'"),
        ClockColumn("waiting_room_lines", "opens_at", "now() + interval '367 days'"),
        ClockColumn("waiting_room_lines", "closes_at", "now() + interval '367 days'"),
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
    shown={
        "waiting_room_lines": {
            _PACE: "rate rate_max policy carried called spaced away flow_fast flow_slow spread held_share learned_to busy_at decreased_at engaged_at advanced_at",
            _WORD: "state is_automatic is_engaged is_paused reason_id reason_en gathers_at opens_at closes_at ended_at document",
        },
        "waiting_room_places": {
            (
                "The account of a place; with a wrong value the holder loses the place, which the "
                "ticket proves."
            ): "account_id",
            "A choice of the account.": "wants_mail",
            (
                "The range of waiting that was shown; counted after the turn was given, which is a "
                "fact."
            ): "shown_low",
            "As shown_low.": "shown_high",
        },
        "waiting_room_gaps": "Numbers without a holder; deleted once they are passed.",
        "waiting_room_samples": _PACE,
        "waiting_room_spaced": (
            "The number of places called with a range; deleted once they are called."
        ),
        "waiting_room_loads": (
            "Measurements of a process from some seconds ago; deleted after a week."
        ),
    },
)
