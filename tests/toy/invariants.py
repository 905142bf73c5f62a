"""Invariants of the guest book."""

from meterai.plumbing.db.invariants import Invariant

INVARIANTS = (
    Invariant(
        "guests_are_welcomed_once",
        "Nobody is welcomed twice.",
        "SELECT account_id, guest_id, welcomes FROM guests WHERE welcomes > 1",
    ),
)
