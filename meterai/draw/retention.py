"""Retention of the tables of random draws."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("waiting_room_draws", "Public and signed: a draw stays verifiable permanently."),
    Stays(
        "waiting_room_entries", "Random numbers without a person; their list is public permanently."
    ),
    Stays("waiting_room_drawn", "Anybody can compute it from public data."),
    Stays(
        "waiting_room_parties",
        "Institutions that took part in draws of earlier releases, named publicly.",
        harmless={"name": "an institution, named in a public announcement"},
    ),
)
