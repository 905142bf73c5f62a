"""Retention of the tables of outage records."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "outages",
        "Kept permanently: evidence that duty could not be paid electronically, as long as the "
        "taxpayer of a document may be asked for it. Times and hashes; no personal data.",
    ),
    Stays(
        "outage_files",
        "Kept permanently with their record, so that it can be derived again: signed "
        "measurements; no personal data.",
    ),
)
