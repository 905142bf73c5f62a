"""How long what is in the tables of ledger is kept, and why."""

from meterai.plumbing.work.retention import BOOKS, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("entries", BOOKS),
    Stays("legs", BOOKS),
    Stays("balances", BOOKS),
    Stays("holds", BOOKS),
)
