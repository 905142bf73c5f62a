"""Retention rules of stamping."""

from meterai.plumbing.work.retention import STAMPS, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "stampings",
        f"{STAMPS} The Idempotency-Key stays with the stamping, so that a repeat never costs a "
        "second stamp, at any later time.",
    ),
    Leaves(
        "stamping_labels",
        "stamping_labels",
        ("account_id", "stamping_id"),
        2 * YEAR,
        "labelled_at",
        "A client's reference and labels may name a person, although we ask for no personal "
        "data; after two years nobody looks for a stamping by them. The row stays, so that a "
        "repeat is not taken for a new request.",
        only="(reference IS NOT NULL OR metadata <> '{}')",
        blanks={"reference": "NULL", "metadata": "'{}'"},
    ),
    Leaves(
        "stamping_facts",
        "stamping_facts",
        ("account_id", "stamping_id"),
        10 * YEAR,
        "told_at",
        "The facts of a document and its other party: by law a collector keeps the data of its "
        "returns for ten years (UU KUP 28(11)).",
    ),
    Stays("facts_demanded", "A row is deleted when its account is no collector any more."),
    Stays(
        "stamping_keys",
        "Kept with its stampings: a repeat finds its answer and never costs a second stamp, at "
        "any later time. Keys chosen by the sender, and hashes.",
    ),
    Stays("deltas", f"{STAMPS} The stamped file of its owner is made from it."),
)
