"""Regulator: statements of duty, evidence of a serial, and daily extracts from which a reader computes them again.

Calls rooms below by what they count.
"""

__all__: list[str] = []
