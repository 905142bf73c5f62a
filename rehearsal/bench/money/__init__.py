"""Money measured: payments, reconciliation, and a dead provider."""
