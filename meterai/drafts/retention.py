"""Retention of the tables of drafts."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "drafts",
        "Deleted with its files and their bytes a day after the last use, three days after its "
        "beginning at the latest, and after minutes if no file came (forget_drafts); the audit "
        "counts rows that are still there later.",
        harmless={"network": "deleted with its draft, after a day"},
    ),
    Stays(
        "draft_files",
        "Deleted with its draft, when the file is removed from it, after minutes if no part "
        "came, or an hour after the last part of an incomplete file (forget_drafts).",
        harmless={"name": "deleted with its draft, after a day"},
    ),
)
