"""Retention rules of the log of requests, with reasons."""

from meterai.plumbing.work.retention import MONTH, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "requests_of_keys",
        "api_requests",
        ("account_id", "entry_id"),
        MONTH,
        "at",
        "A developer reviews the requests of a key within days. Orders and stamps are in the "
        "books, and acts are in the audit trail.",
    ),
)
