"""Claims of texts of orders: what must be so where a page says them."""

NO_CLAIMS = {
    "figures.sales.unpaid": "of a period",
    "refusal.too_many_unpaid_orders": "of other orders",
}
