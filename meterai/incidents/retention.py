"""Retention of the tables of incidents."""

from datetime import timedelta

from meterai.plumbing.work.retention import ONE, Leaves, Rule, Stays

_PUBLIC = "Public for ever: what did not work, when, and what was said of it; nothing of a person."
RETENTION: tuple[Rule, ...] = (
    Stays("incidents", _PUBLIC),
    Stays("incident_components", _PUBLIC),
    Stays("incident_updates", _PUBLIC),
    Stays("incident_watched", ONE),
    Stays("incident_notes", "As the watchers carry them: 50 of each at most; nothing of a person."),
    Stays("incident_mailings", "Leaves once all subscribers were told; nothing of a person."),
    Leaves(
        "unconfirmed_subscribers",
        "incident_subscribers",
        ("subscriber_id",),
        timedelta(days=2),
        "asked_at",
        "An address that nobody confirmed may be a stranger's. A confirmed one leaves when it is unsubscribed, which "
        "deletes its row.",
        only="confirmed_at IS NULL",
    ),
)
