"""A PDF read from untrusted bytes within named limits, and extended by incremental updates.

Knows nothing of stamps, and of signatures only where their fields and dictionaries are.
"""
