"""Retention rules of stamping."""

from meterai.plumbing.work.retention import STAMPS, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "stampings",
        f"{STAMPS} The Idempotency-Key stays with it: a repeat never costs a second stamp, "
        "however late.",
    ),
    Leaves(
        "stamping_labels",
        "stamping_labels",
        ("account_id", "stamping_id"),
        2 * YEAR,
        "labelled_at",
        "A client's own words may name a person, whatever we ask of them; after two years nobody looks "
        "for a thing by them. Their row stays, so that a repeat is not taken for another request.",
        only="(reference IS NOT NULL OR metadata <> '{}')",
        blanks={"reference": "NULL", "metadata": "'{}'"},
    ),
    Leaves(
        "stamping_facts",
        "stamping_facts",
        ("account_id", "stamping_id"),
        10 * YEAR,
        "told_at",
        "What a document is and who the other party is: the law has a collector keep what its returns are made of for ten "
        "years (UU KUP 28(11)).",
    ),
    Stays("facts_demanded", "A row leaves when its account is no collector any more."),
    Stays(
        "stamping_keys",
        "With its stampings: a repeat finds its answer and never costs a second stamp, however "
        "late. Keys of the sender's own making, and hashes.",
    ),
    Stays("deltas", f"{STAMPS} The stamped file is made from it, for its owner."),
)
