"""Columns of requests, as the audit knows them."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "api_requests": "A log that may have gaps: nothing is done by it.",
    },
)
