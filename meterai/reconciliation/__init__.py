"""Reconciliation: records of providers and banks beside payments, refunds and books, line by line.

Each difference is a break, an item in suspense with an owner and a way out.  Calls payments, refunds, orders, suspense.
"""

__all__: list[str] = []
