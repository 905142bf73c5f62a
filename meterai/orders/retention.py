"""How long what is in the tables of orders is kept, and why."""

from meterai.plumbing.retention import MONEY, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "orders",
        f"{MONEY} The Idempotency-Key stays with its order: a repeat is the same order, however "
        "late.",
    ),
    Stays(
        "sale_terms", "What the terms of an order are compared with; a row for each price and fee."
    ),
)
