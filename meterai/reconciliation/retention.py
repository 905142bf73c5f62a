"""Retention of the tables of reconciliation."""

from datetime import timedelta

from meterai.plumbing.work.retention import Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "record_days",
        "That the record of each day was compared, and what was found; a row for each rail and day, counts and times.",
        harmless={"fault": "the code of a refusal of ours"},
    ),
    Leaves(
        "record_lines",
        "record_lines",
        ("provider", "day", "reading", "position"),
        timedelta(days=100),
        "moved_at",
        "A provider answers about a payment for 45 days, and a year at the longest; sums go back to the first of these "
        "lines. What differed is kept with its item.",
    ),
    Stays(
        "record_files",
        "Which file was taken in, by whom, and its digest: its bytes leave after 400 days.",
        harmless={"name": "as a provider or an operator calls a file of a day"},
    ),
)
