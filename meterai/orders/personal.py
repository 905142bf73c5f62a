"""Personal data of orders."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable, Wait

PERSONAL = Personal(
    ids={"order_id": "ord"},
    basis=Basis.LAW,
    tables=(
        PersonalTable(
            table="orders",
            columns="order_id placed_at kind quantity unit_price service_fee seller_fee total state paid_at closed_at paid_payment",
            inner="account_id idempotency_key request_hash due_seconds lapses_at pay_until due_at paid_attempt returning_due_at",
            kept=KeepReason.TAX,
            since="t.placed_at",
        ),
        PersonalTable(
            table="order_deposits",
            columns="order_id added withdrawn added_at",
            inner="account_id",
            kept=KeepReason.TAX,
            since="t.added_at",
        ),
        PersonalTable(
            table="order_sellers",
            columns="order_id seller fee sold_at",
            inner="account_id seller_id",
            kept=KeepReason.TAX,
            since="t.sold_at",
        ),
        PersonalTable(
            table="order_fees",
            columns="order_id stamps amount moved_at",
            inner="account_id number",
            kept=KeepReason.TAX,
            since="t.moved_at",
        ),
        PersonalTable(
            table="order_labels",
            columns="order_id reference metadata labelled_at",
            inner="account_id",
            blanks={"reference": "NULL", "metadata": "'{}'"},
            kept=KeepReason.NUMBER,
        ),
    ),
    waits=(
        Wait(
            "orders",
            "SELECT count(*) AS count, max(coalesce(returning_due_at, due_at, pay_until, lapses_at)) AS until FROM orders"
            " WHERE account_id = %s AND state IN ('placed', 'paid', 'returning')",
        ),
    ),
)
