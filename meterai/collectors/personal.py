"""Personal data of collectors: collectors are organizations, but the facts of their documents name other parties."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable


def _tax_table(table: str, columns: str, inner: str, since: str) -> PersonalTable:
    return PersonalTable(
        table=table, columns=columns, inner=inner, kept=KeepReason.TAX, since=f"t.{since}"
    )


PERSONAL = Personal(
    basis=Basis.LAW,
    tables=(
        _tax_table(
            "collectors", "state approved_at closed_at", "account_id terms_id", "approved_at"
        ),
        _tax_table(
            "collector_terms",
            "collector npwp nitku limit_rupiah set_at",
            "account_id terms_id",
            "set_at",
        ),
        _tax_table("collector_months", "month drawn returned deposited", "account_id", "month"),
        _tax_table(
            "credit_draws",
            "draw_id amount state month made_at taken_at ended_at",
            "account_id",
            "made_at",
        ),
        _tax_table(
            "credit_returns", "refund_no draw_id amount returned_at", "account_id", "returned_at"
        ),
        _tax_table(
            "collector_deposits",
            "deposit_id ntpn month amount paid_on state told_at confirmed_at withdrawn_at",
            "account_id",
            "told_at",
        ),
        _tax_table(
            "collector_reports", "month receipt reported_on told_at", "account_id", "told_at"
        ),
        _tax_table(
            "collector_reminders", "month day what reminded_at", "account_id", "reminded_at"
        ),
        _tax_table(
            "unstamped_documents",
            "document_id month type number dated value party_name identity_kind identity_number happened_at reason told_at",
            "account_id",
            "told_at",
        ),
    ),
)
