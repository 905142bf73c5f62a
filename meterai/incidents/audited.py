"""Rules by which the audit checks the columns of the tables of incidents."""

from meterai.plumbing.db.audited import (
    SHOWN,
    Audited,
    ClockColumn,
    DueWork,
    MarkEvidence,
    global_fact,
)

_WATCH = "The last state agreed by the watchers; its effect is an update, which is a fact."
_ADDRESS = (
    "Subscribers to mails; no decision depends on it, and it is deleted with the subscription."
)
AUDITED = Audited(
    clocks=(
        ClockColumn("incidents", "begins_at", "now() + interval '181 days'"),
        ClockColumn("incidents", "ends_at", "now() + interval '184 days'"),
    ),
    dues=(
        DueWork(
            "incident_mailings",
            "(SELECT u.at FROM incident_updates u WHERE u.incident_id = t.incident_id AND u.update_id = t.update_id)",
            late="interval '1 day'",
        ),
    ),
    evidence=(
        # An update without a row in incident_mailings was sent to every subscriber confirmed before it.
        MarkEvidence(
            "incident_updates",
            "t.at > now() - interval '3 days' AND NOT EXISTS (SELECT 1 FROM incident_mailings g WHERE g.update_id = t.update_id)",
            """NOT EXISTS (SELECT 1 FROM incident_subscribers s WHERE s.confirmed_at <= t.at AND NOT EXISTS (
                SELECT 1 FROM mails x WHERE x.account_id = '00000000-0000-0000-0000-000000000000'
                AND x.cause_key = 'incident_told:' || t.update_id || ':' || s.subscriber_id))""",
        ),
    ),
    facts=(
        global_fact(
            "incidents",
            "opened_at",
            "incident_id kind title_id title_en started_at begins_at ends_at",
        ),
        global_fact(
            "incident_updates",
            "at",
            "incident_id update_id number state text_id text_en actor source",
        ),
    ),
    shown={
        "incidents": {
            "Set by staff; each change comes with an update.": "severity",
            "Computed from the books at the review, and compared with them then.": "report",
            SHOWN: "changed_id changed_en",
        },
        "incident_components": {
            "Set by staff or by the watchers; each change comes with an update.": "component state",
        },
        "incident_watched": _WATCH,
        "incident_notes": (
            "A proposal to staff, as stored by a watcher; an accepted one is an "
            "update, which is a fact."
        ),
        "incident_mailings": "Progress of the mails; the row is deleted once all are queued.",
        "incident_subscribers": _ADDRESS,
    },
)
