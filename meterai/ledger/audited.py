"""Rules by which the audit checks the columns of the ledger's tables."""

from meterai.plumbing.db.audited import Audited, Fact, SubjectColumn, fact

AUDITED = Audited(
    facts=(
        fact("entries", "posted_at", "entry_id reason subject"),
        Fact(
            "legs",
            "legs",
            "e.posted_at",
            ("account_id", "entry_id", "book", "unit", "debit", "credit"),
            join="JOIN {entries?} e ON e.account_id = t.account_id AND e.entry_id = t.entry_id",
        ),
        fact("holds", "held_at", "hold_id book amount subject"),
        fact("holds", "resolved_at", "hold_id state", name="holds_resolved"),
    ),
    subjects={
        "entries": SubjectColumn("subject"),
        "holds": SubjectColumn("hold_id"),
        "legs": SubjectColumn("entry_id", through="entries"),
    },
    of_accounts=("balances",),
    standing=("balances",),
)
