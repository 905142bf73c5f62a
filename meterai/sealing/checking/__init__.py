"""Check of a signed document: a report of named checks, and one verdict.

A check writes no file and contacts no other machine; long checks run as tasks of `sandbox`.
"""
