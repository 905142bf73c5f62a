"""Retention rules of distribution."""

from meterai.plumbing.work.retention import MONEY, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("distributors", MONEY),
    Stays("distributor_terms", MONEY),
    Leaves(
        "references_of_sales",
        "sales",
        ("account_id", "sale_id"),
        2 * YEAR,
        "made_at",
        "A seller's reference may name a person, although we ask for no personal data; after two "
        "years nobody looks for a sale by it.",
        only="reference IS NOT NULL",
        blanks={"reference": "NULL"},
    ),
    Stays("deposit_returns", MONEY),
    Stays("fee_moves", MONEY),
    Stays("seller_debts", MONEY),
    Stays(
        "shops",
        "The public page of a distributor; its owner changes it, and a new logo replaces the old "
        "one.",
    ),
    Stays(
        "shop_names", "The name is printed on paper, so it must lead to the same shop permanently."
    ),
    Stays(
        "resellers",
        MONEY,
        harmless={
            "name": (
                "the name of a shop in the books; the name of a person is blanked when the "
                "person is erased"
            )
        },
    ),
    Stays("selling_accounts", MONEY),
)
