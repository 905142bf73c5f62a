"""Columns of the console, as the audit knows them."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    unchecked={
        "console_samples": dict.fromkeys(
            ("at", "source", "figures"),
            "Counts for a page, of what other tables and processes say.",
        )
    }
)
