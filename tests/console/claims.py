"""Claims in texts of the console, each with the condition that must hold if a page shows it."""
