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
        "A seller's own words may name a person, whatever we ask of them; after two years nobody looks for a sale by them.",
        only="reference IS NOT NULL",
        blanks={"reference": "NULL"},
    ),
    Stays("deposit_returns", MONEY),
    Stays("fee_moves", MONEY),
    Stays("seller_debts", MONEY),
    Stays(
        "shops",
        "What buyers see of a distributor; its owner changes it, and a logo is replaced by the next.",
    ),
    Stays("shop_names", "A name is printed on paper: it leads to the same shop for ever."),
    Stays(
        "resellers",
        MONEY,
        harmless={
            "name": "the name of a shop in the books; one of a person is blanked when it is erased"
        },
    ),
    Stays("selling_accounts", MONEY),
)
