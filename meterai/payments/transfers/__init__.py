"""Transfers to accounts that buyers named: model, SQL, planning, sending and lookup."""
