"""A PDF read from untrusted bytes within named limits, and extended by incremental updates.

Knows nothing of stamps or signatures' contents; only the form's signature fields are found here.
"""
