"""Retention rules of requests, with reasons."""

from meterai.plumbing.work.retention import MONTH, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "requests_of_keys",
        "api_requests",
        ("account_id", "entry_id"),
        MONTH,
        "at",
        "A developer asks within days what a key did. What was ordered and stamped is in the books, and acts are in the "
        "trail.",
    ),
)
