"""Check of a signed document: a report of named checks, and one verdict.

Nothing is written and no other machine is asked; long checks are tasks of `sandbox`.
"""
