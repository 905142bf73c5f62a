"""How long what is in the tables of stamping is kept, and why."""

from meterai.plumbing.retention import STAMPS, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "stampings",
        f"{STAMPS} The Idempotency-Key stays with it: a repeat never costs a second stamp, "
        "however late.",
    ),
    Stays(
        "stamping_keys",
        "With its stampings: a repeat finds its answer and never costs a second stamp, however "
        "late. Keys of the sender's own making, and hashes.",
    ),
    Stays("deltas", f"{STAMPS} The stamped file is made from it, for its owner."),
)
