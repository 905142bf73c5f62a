"""Claims in texts of refunds, each with the condition that must hold if a page shows it."""

NO_CLAIMS = {
    "refusal.account_unanswered": "of money that waits, whatever was typed",
    "refusal.account_tries_of_network_spent": "of money that waits, whatever was typed",
    "refusal.account_tries_of_all_spent": "of money that waits, whatever was typed",
}
