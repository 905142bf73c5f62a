"""Retention rules of privacy, with reasons."""

from meterai.plumbing.work.retention import Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays(
        "privacy_requests",
        "Proof that a request was answered (UU PDP 31): the number of its account, kinds, states and times, and "
        "counts of rows.",
    ),
    Stays(
        "breaches",
        "The register of breaches (UU PDP 46): exposed data, cause, notifications; subjects by numbers of accounts.",
    ),
)
