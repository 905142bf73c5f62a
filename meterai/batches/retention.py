"""Retention rules of batches."""

from meterai.plumbing.work.retention import QUARTER, STAMPS, Leaves, Rule, Stays

_ROW = ("account_id", "batch_id", "number")
RETENTION: tuple[Rule, ...] = (
    Leaves(
        "batch_references",
        "batches",
        ("account_id", "batch_id"),
        QUARTER,
        "ended_at",
        "A client's own word for a batch may name a person; after a season nobody makes the same batch by mistake. "
        "States, times and numbers stay with the stampings that they led to.",
        only="reference IS NOT NULL",
        blanks={"reference": "NULL"},
    ),
    Leaves(
        "batch_files",
        "batch_files",
        ("account_id", "batch_id", "name"),
        QUARTER,
        "added_at",
        "Names of files, and which documents they were. The bytes are documents, which are forgotten in their own time.",
    ),
    Leaves(
        "batch_facts",
        "batch_rows",
        _ROW,
        QUARTER,
        "came_at",
        "What a sender says of a document names people: the other party, its number. Whoever must keep it, a collector "
        "for its return, takes it from the results within a season. That the row was there, and how it ended, stays.",
        only="ended_at IS NOT NULL AND (facts <> '{}' OR document_name <> '')",
        blanks={
            "facts": "'{}'",
            "document_name": "''",
            "document": "''",
            "row_key": "NULL",
            "wishes": "'[]'",
            "code_facts": "'{}'",
        },
    ),
    Stays(
        "batch_stampings",
        f"{STAMPS} A hash finds the stamping again: a repeat never costs a second stamp.",
    ),
)
