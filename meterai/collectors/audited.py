"""Rules by which the audit checks the columns of the tables of collectors."""

from meterai.plumbing.db.audited import SHOWN, Audited, SubjectColumn, fact

_ENDED = "Time of the end; whether it ended is checked by its state."
AUDITED = Audited(
    facts=(
        fact("collector_terms", "set_at", "terms_id collector npwp nitku limit_rupiah"),
        fact("collectors", "approved_at", ""),
        fact("credit_draws", "made_at", "draw_id amount"),
        fact("credit_draws", "taken_at", "draw_id month", name="credit_draws_taken"),
        fact("credit_returns", "returned_at", "refund_no draw_id amount"),
        fact("collector_deposits", "told_at", "deposit_id ntpn month amount paid_on"),
        fact(
            "collector_deposits", "confirmed_at", "deposit_id", name="collector_deposits_confirmed"
        ),
        fact("collector_reminders", "reminded_at", "month day what"),
    ),
    shown={
        "credit_draws": {
            _ENDED: "ended_at",
        },
        "collector_deposits": {
            _ENDED: "withdrawn_at",
        },
        "unstamped_documents": SHOWN,
    },
    subjects={
        "credit_draws": SubjectColumn("draw_id"),
        "credit_returns": SubjectColumn("draw_id"),
        "collector_deposits": SubjectColumn("deposit_id"),
    },
    of_accounts=(
        "collectors",
        "collector_terms",
        "collector_months",
        "collector_reminders",
        "collector_reports",
    ),
)
