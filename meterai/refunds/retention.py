"""How long what is in the tables of refunds is kept, and why."""

from meterai.plumbing.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "refund_keys",
        "With its refund: a repeat finds its answer, however late. Keys of the sender's own making, and "
        "hashes.",
    ),
)
