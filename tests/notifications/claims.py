"""Claims in texts of notifications, each with the condition that must hold if a page shows it."""
