"""Reading a PDF from untrusted bytes within limits, and extending it by incremental updates.

The package has no code for stamps; for signatures it handles only their fields and dictionaries.
"""
