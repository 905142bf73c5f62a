"""Audit classes of the columns of the room's table."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "api_requests": "A log that may have gaps; no decision depends on it.",
    },
)
