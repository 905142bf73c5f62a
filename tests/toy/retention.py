"""Retention of the guest book, with reasons."""

from meterai.plumbing.work.retention import MONTH, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves("guests", "guests", ("account_id", "guest_id"), MONTH, "entered_at", "Names of people."),
)
