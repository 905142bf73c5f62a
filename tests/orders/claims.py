"""Claims in texts of orders, each with the condition that must hold if a page shows it."""
