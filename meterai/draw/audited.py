"""What the audit knows of the columns of draws."""

from meterai.plumbing.db.audited import Audited, global_fact

AUDITED = Audited(
    facts=(
        global_fact("waiting_room_entries", "entered_at", "line_id entry"),
        global_fact("waiting_room_drawn", "drawn_at", "line_id entry number"),
        global_fact("waiting_room_draws", "announced_at", "line_id attempt"),
    ),
    checked={
        "waiting_room_draws": {
            "record": ("draws_are_of_all_entries", "draws_follow_their_announcement"),
            "count": ("draws_are_of_all_entries",),
            "drawn_at": ("draws_follow_their_announcement",),
            "opened_at": ("drawn_numbers_are_all_of_a_draw", "lines_open_by_their_draw"),
        },
    },
    unchecked={
        "waiting_room_draws": {
            "round_signature": "The round as it was carried in; what was used is signed, in the record.",
        },
        "waiting_room_parties": dict.fromkeys(
            (
                "line_id",
                "attempt",
                "name",
                "commitment",
                "public_key",
                "committed_at",
                "secret",
                "signature",
                "revealed_at",
            ),
            "Parties of draws of releases before; what they said is signed, in the record.",
        ),
    },
)
