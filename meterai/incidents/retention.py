"""Retention of the tables of incidents."""

from datetime import timedelta

from meterai.plumbing.work.retention import ONE, Leaves, Rule, Stays

_PUBLIC = (
    "Public permanently: the failures, their times, and the statements about them; no "
    "personal data."
)
RETENTION: tuple[Rule, ...] = (
    Stays("incidents", _PUBLIC),
    Stays("incident_components", _PUBLIC),
    Stays("incident_updates", _PUBLIC),
    Stays("incident_watched", ONE),
    Stays("incident_notes", "As stored by the watchers: at most 50 from each; no personal data."),
    Stays("incident_mailings", "Deleted once all subscribers were notified; no personal data."),
    Leaves(
        "unconfirmed_subscribers",
        "incident_subscribers",
        ("subscriber_id",),
        timedelta(days=2),
        "asked_at",
        "An unconfirmed address may belong to a stranger. A confirmed address is deleted with "
        "its row when it is unsubscribed.",
        only="confirmed_at IS NULL",
    ),
)
