"""Personal data in the books."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable, Wait

PERSONAL = Personal(
    basis=Basis.LAW,
    tables=(
        PersonalTable(
            table="entries",
            columns="entry_id posted_at reason subject",
            inner="account_id",
            kept=KeepReason.TAX,
            since="t.posted_at",
        ),
        PersonalTable(
            table="legs",
            columns="entry_id book unit debit credit",
            inner="account_id",
            kept=KeepReason.TAX,
        ),
        PersonalTable(
            table="balances", columns="book posted held", inner="account_id", kept=KeepReason.TAX
        ),
        PersonalTable(
            table="holds",
            columns="hold_id book amount state held_at resolved_at subject",
            inner="account_id",
            kept=KeepReason.TAX,
            since="t.held_at",
        ),
    ),
    waits=(
        Wait(
            "money_in_flight",
            "SELECT count(*) AS count, NULL::timestamptz AS until FROM balances WHERE account_id = %s"
            " AND book IN ('buyer_funds', 'refunds_payable') AND (posted <> 0 OR held <> 0)",
        ),
    ),
)
