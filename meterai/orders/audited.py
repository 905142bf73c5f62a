"""Rules by which the audit checks the columns of the tables of orders."""

from meterai.plumbing.db.audited import (
    SHOWN,
    Audited,
    ClockColumn,
    DueWork,
    SubjectColumn,
    fact,
    global_fact,
)

AUDITED = Audited(
    clocks=(
        ClockColumn("orders", "lapses_at", "t.placed_at + interval '7 days'"),
        ClockColumn(
            "orders", "due_at", "t.paid_at + make_interval(secs => least(t.due_seconds, 7 * 86400))"
        ),
        ClockColumn("orders", "pay_until", "t.placed_at + interval '8 days'"),
        ClockColumn("orders", "returning_due_at", "now() + interval '8 days'"),
    ),
    dues=(
        DueWork("orders", "coalesce(t.pay_until, t.lapses_at)", "t.state = 'placed'"),
        DueWork("orders", "t.due_at", "t.state = 'paid'"),
    ),
    facts=(
        fact(
            "orders",
            "placed_at",
            "order_id idempotency_key request_hash kind quantity unit_price service_fee total"
            " due_seconds lapses_at",
        ),
        fact("orders", "paid_at", "order_id paid_attempt paid_payment due_at", name="orders_paid"),
        fact("order_deposits", "added_at", "order_id added"),
        fact("order_sellers", "sold_at", "order_id seller_id seller fee"),
        fact("order_fees", "moved_at", "order_id number stamps amount"),
        global_fact("sale_terms", "since", "unit_price service_fee"),
    ),
    shown={
        "order_labels": SHOWN,
    },
    subjects={
        "orders": SubjectColumn("order_id"),
        "order_deposits": SubjectColumn("order_id"),
        "order_sellers": SubjectColumn("order_id"),
        "order_fees": SubjectColumn("order_id"),
    },
    unfinished=(
        "SELECT account_id, order_id FROM orders WHERE state = 'placed'",
        "SELECT account_id, order_id FROM orders WHERE state = 'paid'",
    ),
    measure="orders",
)
