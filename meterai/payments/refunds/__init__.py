"""Refunds of payments: model, SQL, sending, and comparison with records of providers."""
