"""Recovery: the way back after an outage, as steps that wait for numbers.

Calls incidents, waiting_room, accounts, stamps, orders, stamping, refunds.
"""

__all__: list[str] = []
