"""Claims of texts of refunds: what must be so where a page says them."""

NO_CLAIMS = {
    "refusal.account_unanswered": "of money that waits, whatever was typed",
    "refusal.account_tries_of_network_spent": "of money that waits, whatever was typed",
    "refusal.account_tries_of_all_spent": "of money that waits, whatever was typed",
}
