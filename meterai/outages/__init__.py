"""Outages: signed records of when the system counted as failed under the law.

Calls incidents, sealing, approvals.
"""

__all__: list[str] = []
