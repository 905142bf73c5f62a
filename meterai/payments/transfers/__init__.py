"""Transfers to bank accounts that buyers named: model, SQL, planning, sending and lookup."""
