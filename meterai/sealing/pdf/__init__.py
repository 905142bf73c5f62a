"""A PDF read from untrusted bytes within named limits, and extended by incremental updates.

The package knows no stamps, and of signatures only their fields and dictionaries.
"""
