"""Rules by which the audit checks the columns of the tables of distribution."""

from meterai.plumbing.db.audited import SHOWN, Audited, ClockColumn, DueWork, SubjectColumn, fact

AUDITED = Audited(
    clocks=(ClockColumn("sales", "waits_until", "t.made_at + interval '7 days'"),),
    dues=(DueWork("sales", "t.waits_until", "t.state = 'waiting'"),),
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
    shown={
        "distributors": {
            "Bound for the notice that the deposit is low; moves no money.": "low_at mean_rupiah mean_at",
        },
        "resellers": {
            SHOWN: "name",
            (
                "The bound of both fees when the last of them was set; today's setting bounds the "
                "next."
            ): "fees_max",
        },
        "seller_debts": {
            "A copy of a part of `owed`, which is checked.": "account_id",
            SHOWN: "began_at",
        },
        # Texts and logo of a sales page. The owner of the page changes them, and the trail records when.
        "shops": SHOWN,
    },
    subjects={
        "sales": SubjectColumn("sale_id"),
        "deposit_returns": SubjectColumn("sale_id"),
        "fee_moves": SubjectColumn("order_id"),
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
