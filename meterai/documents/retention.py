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
        "A file name may name a person. Its owner can find the document by it for two years "
        "after the bytes were deleted. The hash and the sizes stay with the stamp, and a digest "
        "of the name that cannot be tested against names, since its salt is deleted too.",
        only=f"forgotten_at IS NOT NULL AND name <> '{NO_NAME}'",
        blanks={"name": f"'{NO_NAME}'", "name_salt": "NULL"},
    ),
    Stays("object_store", ONE),
    Stays(
        "condemned_objects",
        "A row is deleted with its object: a day after the bytes of a document are no longer "
        "kept (`document_grace_seconds`), an hour after a draft released a document, minutes "
        "after a part of an upload was released (delete_condemned); later only while deletion is "
        "held.",
        harmless={"name": "a digest and an id, or two ids"},
    ),
)
