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
        "A client's reference for a batch may name a person; after three months nobody makes the "
        "same batch by mistake. States, times and numbers stay with the stampings of the batch.",
        only="reference IS NOT NULL",
        blanks={"reference": "NULL"},
    ),
    Leaves(
        "batch_files",
        "batch_files",
        ("account_id", "batch_id", "name"),
        QUARTER,
        "added_at",
        "Names and hashes of files. Their bytes are documents, which have their own retention.",
    ),
    Leaves(
        "batch_facts",
        "batch_rows",
        _ROW,
        QUARTER,
        "came_at",
        "The facts that a sender gives about a document name people: the other party and its "
        "number. A collector, who must keep them for its return, takes them from the results "
        "within three months. The row and its outcome stay.",
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
        f"{STAMPS} The hash finds the stamping again, so that a repeat never costs a second stamp.",
    ),
)
