"""Retention of the tables of suspense."""

from meterai.plumbing.work.retention import HALF_YEAR, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "news_in_suspense",
        "suspense_items",
        ("item_id",),
        HALF_YEAR,
        "resolved_at",
        "As other news of the bank, once it is known what it was; digest, sum, number and how it ended "
        "stay.",
        only="state = 'resolved' AND told <> ''",
        blanks={"told": "''"},
        harmless={"note": "the bank's number of a return, or why there is nothing to do"},
    ),
)
