"""Retention of the tables of documents."""

from meterai.documents.model import NO_NAME
from meterai.plumbing.work.retention import ONE, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "document_names",
        "documents",
        ("account_id", "sha256"),
        2 * YEAR,
        "forgotten_at",
        "A file name may name a person. Its owner finds the document by it for two years after "
        "the bytes were let go; hash and sizes stay with the stamp, and a digest of the name that nobody can try names on: its "
        "salt leaves too.",
        only=f"forgotten_at IS NOT NULL AND name <> '{NO_NAME}'",
        blanks={"name": f"'{NO_NAME}'", "name_salt": "NULL"},
    ),
    Stays("object_store", ONE),
    Stays(
        "condemned_objects",
        "A row leaves with its object: a day after the document was forgotten (`document_grace_seconds`), an hour "
        "after a draft let a document go, minutes after a part of an upload was let go (delete_condemned); later only while "
        "deletion is held.",
        harmless={"name": "a digest and an id, or two ids"},
    ),
)
