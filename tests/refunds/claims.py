"""Claims in texts of refunds, each with the condition that must hold if a page shows it."""
