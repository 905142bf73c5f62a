"""Rules by which the audit checks the columns of the table of this room."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "api_requests": "A log that may have gaps; no decision depends on it.",
    },
)
