"""What the audit knows of the columns of documents."""

from meterai.plumbing.audited import ONE_ROW, Audited, fact

_STARTS = "A process that finds another id in its store does not start."
AUDITED = Audited(
    facts=(fact("documents", "received_at", "sha256 bytes pages name_seal"),),
    checked={
        "documents": {
            "name": ("document_is_called_as_it_was",),
            "name_salt": ("document_is_called_as_it_was",),
        },
    },
    unchecked={
        "documents": dict.fromkeys(
            ("kept_until", "forgotten_at"),
            "For how long the bytes stay; whether they are there is compared with the object store "
            "(objects_are_those_of_documents).",
        ),
        "object_store": {"only_row": ONE_ROW, "store_id": _STARTS, "marked_at": _STARTS},
    },
    of_accounts=("documents",),
)
