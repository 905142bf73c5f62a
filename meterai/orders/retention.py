"""Retention of the tables of orders."""

from meterai.plumbing.work.retention import MONEY, YEAR, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "orders",
        f"{MONEY} The Idempotency-Key stays with its order: a repeat is the same order, however "
        "late.",
    ),
    Leaves(
        "order_labels",
        "order_labels",
        ("account_id", "order_id"),
        2 * YEAR,
        "labelled_at",
        "A client's own words may name a person, whatever we ask of them; after two years nobody looks "
        "for a thing by them. Their row stays, so that a repeat is not taken for another request.",
        only="reference IS NOT NULL OR metadata <> '{}'",
        blanks={"reference": "NULL", "metadata": "'{}'"},
    ),
    Stays("order_deposits", MONEY),
    Stays("order_sellers", MONEY),
    Stays("order_fees", MONEY),
    Stays(
        "sale_terms", "What the terms of an order are compared with; a row for each price and fee."
    ),
)
