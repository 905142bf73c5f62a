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
        "A day of numbers is shown, and the same day of the week before can be looked up; nothing of a person.",
    ),
)
