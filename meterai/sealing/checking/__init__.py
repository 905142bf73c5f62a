"""Whether a signed document is as it was signed: a report of named checks, and one verdict.

Nothing is written and nothing is asked of another machine; what may take long is a task of `sandbox`.
"""
