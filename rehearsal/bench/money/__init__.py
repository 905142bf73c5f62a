"""Benches of money: payments, reconciliation, and a dead provider."""
