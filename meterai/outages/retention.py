"""Retention of the tables of outage records."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "outages",
        "Kept for ever: evidence that duty could not be paid electronically, as long as anybody may be asked about a "
        "document. Times and hashes; nothing of a person.",
    ),
    Stays(
        "outage_files",
        "Kept for ever with their record, so that it can be derived again: signed measurements; nothing of a person.",
    ),
)
