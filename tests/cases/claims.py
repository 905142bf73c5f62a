"""Claims in texts of cases, each with the condition that must hold if a page shows it."""
