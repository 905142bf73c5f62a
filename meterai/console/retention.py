"""Retention rules of the console, with reasons."""

from datetime import timedelta

from meterai.plumbing.work.retention import Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "samples_of_minutes",
        "console_samples",
        ("source", "at"),
        timedelta(days=8),
        "at",
        "A page shows the numbers of a day, and the same day of the week before; no personal data.",
    ),
)
