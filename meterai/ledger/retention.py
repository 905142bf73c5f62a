"""Retention rules of the ledger's tables."""

from meterai.plumbing.work.retention import BOOKS, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("entries", BOOKS),
    Stays("legs", BOOKS),
    Stays("balances", BOOKS),
    Stays("holds", BOOKS),
)
