"""Retention rules of the tables of the audit trail."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "audit_events",
        "The record of acts is also evidence against ourselves, so nobody can delete from it, "
        "not even a periodic task. Ids and names of acts, and digests of addresses and of "
        "secrets.",
        harmless={"facts": "ids, sums and digests (see the room `audit`)"},
    ),
)
