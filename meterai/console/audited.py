"""Audit classes of the columns of the console."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "console_samples": "Counts for a page, of what other tables and processes say.",
    },
)
