"""Retention of the tables of draws."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("waiting_room_draws", "Public, and signed: a draw can be checked for ever."),
    Stays("waiting_room_entries", "Random numbers of nobody; the list of them is public for ever."),
    Stays("waiting_room_drawn", "Anybody can compute it from what is public."),
    Stays(
        "waiting_room_parties",
        "Institutions that took part in draws of releases before, named in public.",
        harmless={"name": "an institution, named in a public announcement"},
    ),
)
