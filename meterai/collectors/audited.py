"""What the audit knows of the columns of collectors."""

from meterai.plumbing.db.audited import SHOWN, Audited, Subject, fact

_OWED = ("collectors_owe_what_they_drew",)
_ENDED = "When it ended; that it did is looked at by its state."
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
    checked={
        "collectors": dict.fromkeys(
            ("state", "terms_id", "closed_at"), ("collector_is_as_staff_said",)
        ),
        "collector_months": dict.fromkeys(
            ("account_id", "month", "drawn", "returned", "deposited"), _OWED
        ),
        "collector_reports": dict.fromkeys(
            ("account_id", "month", "receipt", "reported_on", "told_at"),
            ("collector_reports_are_in_the_trail",),
        ),
        "credit_draws": dict.fromkeys(("state",), ("draw_pays_its_attempt",)),
        "collector_deposits": dict.fromkeys(("state",), ("collector_deposit_is_confirmed_once",)),
    },
    unchecked={
        "credit_draws": {"ended_at": _ENDED},
        "collector_deposits": {"withdrawn_at": _ENDED},
        "unstamped_documents": dict.fromkeys(
            (
                "account_id",
                "document_id",
                "month",
                "type",
                "number",
                "dated",
                "value",
                "party_name",
                "identity_kind",
                "identity_number",
                "happened_at",
                "reason",
                "told_at",
            ),
            SHOWN,
        ),
    },
    subjects={
        "credit_draws": Subject("draw_id"),
        "credit_returns": Subject("draw_id"),
        "collector_deposits": Subject("deposit_id"),
    },
    of_accounts=(
        "collectors",
        "collector_terms",
        "collector_months",
        "collector_reminders",
        "collector_reports",
    ),
)
