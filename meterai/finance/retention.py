"""Retention rules of finance."""

from meterai.plumbing.work.retention import BOOKS, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("day_closes", BOOKS),
    Stays("day_close_sums", BOOKS),
    Stays("payouts", BOOKS),
    Stays("channel_sums", BOOKS),
    Stays("channel_counts", BOOKS),
)
