"""Retention rules of cases, with reasons."""

from meterai.plumbing.work.retention import HALF_YEAR, YEAR, Leaves, Rule

_MESSAGE = ("account_id", "case_id", "message_id")
RETENTION: tuple[Rule, ...] = (
    Leaves(
        "case_contacts",
        "cases",
        ("account_id", "case_id"),
        YEAR,
        "opened_at",
        "The address of somebody who was not signed in; a complaint is over within weeks, and argued about within a "
        "year. How it was answered and when is counted for years: matter, state, times and codes stay.",
        only="contact <> ''",
        blanks={"contact": "''"},
    ),
    Leaves(
        "case_words",
        "case_messages",
        _MESSAGE,
        YEAR,
        "written_at",
        "A person's own words say what they like, of others too. A complaint is over within weeks, and argued about "
        "within a year; that a message came, from whom and when, stays.",
        only="words <> ''",
        blanks={"words": "''"},
    ),
    Leaves(
        "case_pictures",
        "case_pictures",
        ("account_id", "case_id", "picture_id"),
        HALF_YEAR,
        "added_at",
        "Evidence shows accounts at banks and faces; nobody looks at it once its case is over.",
    ),
)
