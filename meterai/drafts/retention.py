"""Retention of the tables of drafts."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "drafts",
        "Forgotten with its files and their bytes a day after it was used, at most three after it "
        "began, and in minutes where nothing came (forget_drafts); the audit counts those that are "
        "still there later.",
        harmless={"network": "leaves with its draft, after a day"},
    ),
    Stays(
        "draft_files",
        "Leaves with its draft, when it is taken out of it, in minutes where nothing came, or an hour after "
        "its last part where others are missing (forget_drafts).",
        harmless={"name": "leaves with its draft, after a day"},
    ),
)
