"""What the audit knows of the columns of ledger."""

from meterai.plumbing.db.audited import Audited, Fact, Subject, fact

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
        "entries": Subject("subject"),
        "holds": Subject("hold_id"),
        "legs": Subject("entry_id", through="entries"),
    },
    of_accounts=("balances",),
    standing=("balances",),
)
