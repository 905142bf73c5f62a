"""Finance: the desk of a controller over the books.

Trial balance, statements, the close of a day, fees of providers, payouts of duty, exports.  Calls ledger, payments,
reconciliation.
"""

__all__: list[str] = []
