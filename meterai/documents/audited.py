"""Rules by which the audit checks the columns of the tables of documents."""

from meterai.plumbing.db.audited import ONE_ROW, Audited, ClockColumn, DueWork, MarkEvidence, fact

_STARTS = "A process that finds another id in its store does not start."
_CLAIMED = (
    "Each run that deletes compares it with the state of the store and of PostgreSQL, and holds "
    "deletion if they differ."
)
_CONDEMNED = "An object is deleted only if no row refers to it at that time."
AUDITED = Audited(
    clocks=(
        ClockColumn("condemned_objects", "due_at", "t.condemned_at + interval '90 days'"),
        ClockColumn("documents", "kept_until", "now() + interval '3660 days'"),
    ),
    dues=(
        # Nothing is deleted while deletion is held.
        DueWork(
            "documents",
            "t.kept_until",
            "t.forgotten_at IS NULL AND NOT EXISTS (SELECT 1 FROM object_store WHERE hold IS NOT NULL"
            " OR held_at > now() - interval '1 day' OR confirmed_at > now() - interval '1 day')",
            "interval '1 day'",
        ),
    ),
    evidence=(
        MarkEvidence(
            "documents",
            "t.forgotten_at < t.kept_until",
            """EXISTS (SELECT 1 FROM {accounts*} z WHERE z.account_id = t.account_id AND z.erased_at IS NOT NULL)""",
        ),
    ),
    facts=(fact("documents", "received_at", "sha256 bytes pages name_seal"),),
    shown={
        "documents": {
            (
                "Until when the bytes are kept; their presence is compared with the object store "
                "(objects_are_those_of_documents)."
            ): "kept_until forgotten_at",
        },
        "object_store": {
            ONE_ROW: "only_row",
            _STARTS: "store_id marked_at",
            _CLAIMED: "claim claim_before claimed_at system_identifier database_oid timeline hold held_at confirmed_at spared",
        },
        "condemned_objects": _CONDEMNED,
    },
    of_accounts=("documents",),
)
