"""Rules by which the audit checks the columns of the tables of batches."""

from meterai.plumbing.db.audited import SHOWN, WORK, Audited, ClockColumn, DueWork, Fact, fact

AUDITED = Audited(
    clocks=(
        ClockColumn("batches", "turn_at", "now()"),
        ClockColumn("batch_rows", "leased_until", "now() + interval '1 hour'"),
    ),
    # A worker takes up each batch under way every few seconds; the audit reports a batch that no worker took up for an
    # hour.
    dues=(
        DueWork(
            "batches", "t.turn_at", "t.state IN ('working', 'cancelling')", "interval '1 hour'"
        ),
    ),
    facts=(
        fact("batches", "made_at", "batch_id idempotency_key request_hash"),
        fact("batch_rows", "came_at", "batch_id number identity content"),
        # A subject is bound to another stamping only after its previous stamping failed.
        Fact(
            "batch_stampings",
            "batch_stampings",
            "greatest(s.delivered_at, t.bound_at)",
            ("account_id", "subject", "stamping_id", "bound_at"),
            join="JOIN {stampings?} s ON s.account_id = t.account_id"
            " AND s.stamping_id = t.stamping_id AND s.delivered_at IS NOT NULL",
        ),
    ),
    shown={
        "batches": {
            SHOWN: "reference",
            (
                "The member whose limit the stamps count against; the use is checked with the "
                "stampings."
            ): "member_id",
            WORK: "needed",
        },
        "batch_files": {
            SHOWN: "name came_sha256 is_repaired added_at",
        },
        "batch_rows": {
            SHOWN: "row_key document document_name wishes facts code code_facts ended_at is_repaired",
            WORK: "leased_until",
        },
    },
    of_accounts=("batches", "batch_rows", "batch_files", "batch_stampings"),
)
