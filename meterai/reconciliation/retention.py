"""Retention of the tables of reconciliation."""

from datetime import timedelta

from meterai.plumbing.work.retention import Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "record_days",
        "The fact and the result of the comparison of each day; one row for each rail and day, "
        "counts and times.",
        harmless={"fault": "the code of one of our refusals"},
    ),
    Leaves(
        "record_lines",
        "record_lines",
        ("provider", "day", "reading", "position"),
        timedelta(days=100),
        "moved_at",
        "A provider answers about a payment for 45 days, and at most a year; sums are counted "
        "from the first of these lines. A difference stays with its item.",
    ),
    Stays(
        "record_files",
        "The file that was taken in, by whom, and its digest: its bytes are deleted after 400 "
        "days.",
        harmless={"name": "the name that a provider or operator gives to the file of a day"},
    ),
)
