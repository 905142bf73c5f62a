"""How long what is in the tables of refunds is kept, and why."""

from meterai.plumbing.retention import MONEY, Rule, Stays

RETENTION: tuple[Rule, ...] = (Stays("refunds", MONEY),)
