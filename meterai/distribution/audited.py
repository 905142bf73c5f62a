"""What the audit knows of the columns of distribution."""

from meterai.plumbing.db.audited import SHOWN, Audited, Clock, Due, Subject, fact

AUDITED = Audited(
    clocks=(Clock("sales", "waits_until", "t.made_at + interval '7 days'"),),
    dues=(Due("sales", "t.waits_until", "t.state = 'waiting'"),),
    facts=(
        fact(
            "distributor_terms",
            "set_at",
            "terms_id seller fee short region low_days low_rupiah topup_method topup_rupiah",
        ),
        fact("distributors", "approved_at", ""),
        fact(
            "sales",
            "made_at",
            "sale_id idempotency_key request_hash buyer_id order_id attempt_id quantity unit_price service_fee"
            " due_seconds waits_until reseller_id",
        ),
        fact(
            "sales",
            "made_at",
            "sale_id reference",
            only="t.reference IS NOT NULL",
            name="sale_references",
            years=2,
        ),
        fact("sales", "taken_at", "sale_id", name="sales_taken"),
        fact("deposit_returns", "returned_at", "refund_no sale_id amount"),
        fact("fee_moves", "moved_at", "order_id number buyer_id stamps amount of_deposit"),
        fact("shop_names", "named_at", "slug"),
    ),
    checked={
        "distributors": dict.fromkeys(
            ("state", "terms_id", "opened_at", "closing_at", "closed_at"),
            ("distributor_is_as_staff_said",),
        ),
        "seller_debts": {"owed": ("fees_of_sellers_are_those_of_orders",)},
        "resellers": dict.fromkeys(
            ("account_id", "reseller_id", "state", "fee", "day_rupiah", "agreed_at", "moved_at"),
            ("reseller_is_as_was_said",),
        )
        | {"distributor_fee": ("reseller_fees_are_of_today",)},
        "selling_accounts": dict.fromkeys(
            ("account_id", "distributor_id", "is_free"), ("account_sells_from_one_deposit",)
        ),
        "sales": {
            "state": ("sale_times_are_in_order",),
            "ended_at": ("sale_times_are_in_order",),
            "end_cause": ("sale_times_are_in_order",),
        },
    },
    unchecked={
        "distributors": dict.fromkeys(
            ("low_at", "mean_rupiah", "mean_at"),
            "When it is told that its deposit is low; nothing moves by it.",
        ),
        "resellers": {
            "name": SHOWN,
            "fees_max": "What bounded both fees when one of them was set; the setting of today bounds the next.",
        },
        "seller_debts": {"account_id": "Of `owed`, which is looked at.", "began_at": SHOWN},
        # Its owner changes it as they like, and the trail says when: words and a picture of a page, no sum.
        "shops": dict.fromkeys(
            ("account_id", "slug", "colour", "terms", "logo", "logo_hash", "set_at"), SHOWN
        ),
    },
    subjects={
        "sales": Subject("sale_id"),
        "deposit_returns": Subject("sale_id"),
        "fee_moves": Subject("order_id"),
    },
    of_accounts=(
        "distributors",
        "distributor_terms",
        "seller_debts",
        "shops",
        "shop_names",
        "resellers",
        "selling_accounts",
    ),
)
