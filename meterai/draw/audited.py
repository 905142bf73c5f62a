"""Rules by which the audit checks the columns of the tables of random draws."""

from meterai.plumbing.db.audited import Audited, global_fact

AUDITED = Audited(
    facts=(
        global_fact("waiting_room_entries", "entered_at", "line_id entry"),
        global_fact("waiting_room_drawn", "drawn_at", "line_id entry number"),
        global_fact("waiting_room_draws", "announced_at", "line_id attempt"),
    ),
    shown={
        "waiting_room_draws": {
            (
                "The round as an operator entered it; the round that was used is in the signed "
                "record."
            ): "round_signature",
        },
        "waiting_room_parties": (
            "Parties of draws of earlier releases; their statements are in the signed record."
        ),
    },
)
