"""Refunds of payments: model, SQL, sending, and lookup in records of providers."""
