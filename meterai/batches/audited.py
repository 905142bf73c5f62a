"""What the audit knows of the columns of batches."""

from meterai.plumbing.db.audited import SHOWN, WORK, Audited, Clock, Due, Fact, fact

_STANDS = ("batch_stands_where_its_rows_do",)
_ROW = ("row_stands_where_its_stamping_does",)
AUDITED = Audited(
    clocks=(
        Clock("batches", "turn_at", "now()"),
        Clock("batch_rows", "leased_until", "now() + interval '1 hour'"),
    ),
    # A worker takes a batch under way up every few seconds; one that no worker took for an hour is named.
    dues=(
        Due("batches", "t.turn_at", "t.state IN ('working', 'cancelling')", "interval '1 hour'"),
    ),
    facts=(
        fact("batches", "made_at", "batch_id idempotency_key request_hash"),
        fact("batch_rows", "came_at", "batch_id number identity content"),
        # Bound anew only where its stamping failed.
        Fact(
            "batch_stampings",
            "batch_stampings",
            "greatest(s.delivered_at, t.bound_at)",
            ("account_id", "subject", "stamping_id", "bound_at"),
            join="JOIN {stampings?} s ON s.account_id = t.account_id"
            " AND s.stamping_id = t.stamping_id AND s.delivered_at IS NOT NULL",
        ),
    ),
    checked={
        "batches": {
            "state": _STANDS,
            "started_at": _STANDS,
            "ended_at": _STANDS,
            "order_id": _STANDS,
            "order_count": _STANDS,
            "turn_at": ("times_hide_no_work", "work_is_done_in_time"),
        },
        "batch_rows": {
            "state": _ROW,
            "stamping_id": _ROW,
            "sha256": _ROW,
            "quantity": _ROW,
        },
        "batch_files": {
            "account_id": ("batch_rows_are_numbered",),
            "batch_id": ("batch_rows_are_numbered",),
            "sha256": ("batch_rows_are_numbered",),
            "bytes": ("batch_rows_are_numbered",),
        },
    },
    unchecked={
        "batches": {
            "reference": SHOWN,
            "member_id": "Whose limit its stamps count against; what was counted is looked at with the stampings.",
            "needed": WORK,
        },
        "batch_files": dict.fromkeys(("name", "came_sha256", "is_repaired", "added_at"), SHOWN),
        "batch_rows": dict.fromkeys(
            (
                "row_key",
                "document",
                "document_name",
                "wishes",
                "facts",
                "code",
                "code_facts",
                "ended_at",
                "is_repaired",
            ),
            SHOWN,
        )
        | {"leased_until": WORK},
    },
    of_accounts=("batches", "batch_rows", "batch_files", "batch_stampings"),
)
