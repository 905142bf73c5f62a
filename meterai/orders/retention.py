"""Retention of the tables of orders."""

from meterai.plumbing.work.retention import MONEY, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "orders",
        f"{MONEY} The Idempotency-Key stays with its order, so that a repeat returns the same "
        "order at any later time.",
    ),
    Leaves(
        "order_labels",
        "order_labels",
        ("account_id", "order_id"),
        2 * YEAR,
        "labelled_at",
        "A client's reference and labels may name a person, although we ask for no personal "
        "data; after two years nobody looks for an order by them. The row stays, so that a "
        "repeat is not taken for a new request.",
        only="reference IS NOT NULL OR metadata <> '{}'",
        blanks={"reference": "NULL", "metadata": "'{}'"},
    ),
    Stays("order_deposits", MONEY),
    Stays("order_sellers", MONEY),
    Stays("order_fees", MONEY),
    Stays(
        "sale_terms", "The terms of orders are compared with it; one row for each price and fee."
    ),
)
