"""Whether a signed document is as it was signed: a report of named checks, and one verdict.

Nothing is written and no other machine is asked; what may take long is a task of `sandbox`.
"""
