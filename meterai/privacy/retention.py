"""Retention rules of privacy, with reasons."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "privacy_requests",
        "That a person asked, when, and what came of it proves that it was answered (UU PDP 31); the number of its "
        "account, kinds, states and times, and counts of rows.",
    ),
    Stays(
        "breaches",
        "The register of breaches (UU PDP 46): what was exposed, how, and who was told when. Whose data, by numbers of accounts.",
    ),
)
