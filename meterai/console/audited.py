"""Columns of the console, as the audit knows them."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "console_samples": "Counts for a page, of what other tables and processes say.",
    },
)
