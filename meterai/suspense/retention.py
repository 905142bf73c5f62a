"""Retention of the tables of suspense."""

from meterai.plumbing.work.retention import HALF_YEAR, Leaves, Rule

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "news_in_suspense",
        "suspense_items",
        ("item_id",),
        HALF_YEAR,
        "resolved_at",
        "As for other messages of the bank, once the item is resolved; the digest, sum, number "
        "and outcome stay.",
        only="state = 'resolved' AND told <> ''",
        blanks={"told": "''"},
        harmless={
            "note": ("the bank's number of a return, or the reason why there is nothing to do")
        },
    ),
)
