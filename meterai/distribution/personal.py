"""Personal data of distribution: distributors are organizations, and buyers are stored as ids of accounts."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable

PERSONAL = Personal(
    ids={"order_id": "ord"},
    basis=Basis.CONTRACT,
    tables=(
        PersonalTable(
            table="sales",
            columns="sale_id quantity unit_price service_fee reference state made_at taken_at ended_at",
            inner="account_id reseller_id buyer_id order_id attempt_id idempotency_key request_hash due_seconds waits_until end_cause",
            blanks={"reference": "NULL"},
            kept=KeepReason.TAX,
            since="t.made_at",
        ),
        PersonalTable(
            table="deposit_returns",
            columns="refund_no amount returned_at",
            inner="account_id sale_id",
            kept=KeepReason.TAX,
            since="t.returned_at",
        ),
        PersonalTable(
            table="distributors",
            columns="state approved_at opened_at closing_at closed_at",
            inner="account_id terms_id low_at mean_rupiah mean_at",
            kept=KeepReason.TAX,
            since="t.approved_at",
        ),
        PersonalTable(
            table="resellers",
            columns="reseller_id state name fee day_rupiah agreed_at moved_at",
            inner="account_id distributor_fee fees_max",
            whose="%s IN (t.account_id, t.reseller_id)",
            blanks={"name": "'-'"},
            kept=KeepReason.TAX,
            since="t.moved_at",
        ),
        PersonalTable(
            table="selling_accounts",
            columns="distributor_id is_free",
            inner="account_id",
            kept=KeepReason.TAX,
        ),
        PersonalTable(
            table="distributor_terms",
            columns="seller fee short region low_days low_rupiah topup_method topup_rupiah set_at",
            inner="account_id terms_id",
            kept=KeepReason.TAX,
            since="t.set_at",
        ),
        PersonalTable(
            table="fee_moves",
            columns="order_id stamps amount of_deposit moved_at",
            inner="account_id number buyer_id",
            kept=KeepReason.TAX,
            since="t.moved_at",
        ),
        PersonalTable(
            table="seller_debts",
            columns="owed began_at",
            inner="account_id",
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="shops",
            columns="slug colour terms set_at",
            inner="account_id logo logo_hash",
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="shop_names", columns="slug named_at", inner="account_id", kept=KeepReason.NUMBER
        ),
    ),
)
