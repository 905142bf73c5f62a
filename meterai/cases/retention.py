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
        "The address of a person who is not signed in; a complaint is over within weeks, and "
        "disputed within a year. Cases are counted for years: matter, state, times and codes "
        "stay.",
        only="contact <> ''",
        blanks={"contact": "''"},
    ),
    Leaves(
        "case_words",
        "case_messages",
        _MESSAGE,
        YEAR,
        "written_at",
        "The words of a person may concern other people. A complaint is over within weeks, and "
        "disputed within a year; author and time of each message stay.",
        only="words <> ''",
        blanks={"words": "''"},
    ),
    Leaves(
        "case_pictures",
        "case_pictures",
        ("account_id", "case_id", "picture_id"),
        HALF_YEAR,
        "added_at",
        "Pictures show bank accounts and faces; they are not needed after the end of the case.",
    ),
)
