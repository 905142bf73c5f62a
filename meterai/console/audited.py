"""Rules by which the audit checks the columns of the tables of the console."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    shown={
        "console_samples": "Counts for a page, computed from other tables and processes.",
    },
)
