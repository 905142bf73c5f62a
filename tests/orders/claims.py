"""Claims in texts of orders, each with the condition that must hold if a page shows it."""

NO_CLAIMS = {
    "figures.sales.unpaid": "of a period",
    "refusal.too_many_unpaid_orders": "of other orders",
}
