"""Personal data of the books."""

from meterai.plumbing.db.personal import Basis, Held, Kept, Personal, Wait

PERSONAL = Personal(
    basis=Basis.LAW,
    tables=(
        Held(
            table="entries",
            columns="entry_id posted_at reason subject",
            inner="account_id",
            kept=Kept.TAX,
            since="t.posted_at",
        ),
        Held(
            table="legs",
            columns="entry_id book unit debit credit",
            inner="account_id",
            kept=Kept.TAX,
        ),
        Held(table="balances", columns="book posted held", inner="account_id", kept=Kept.TAX),
        Held(
            table="holds",
            columns="hold_id book amount state held_at resolved_at subject",
            inner="account_id",
            kept=Kept.TAX,
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
