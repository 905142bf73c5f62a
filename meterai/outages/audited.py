"""Rules by which the audit checks the columns of the tables of outage records."""

from meterai.plumbing.db.audited import Audited, DueWork, global_fact

AUDITED = Audited(
    dues=(
        DueWork("outages", "t.confirmed_at", "t.sealed_at IS NULL AND t.confirmed_at IS NOT NULL"),
    ),
    facts=(
        global_fact(
            "outages",
            "proposed_at",
            "outage_id begins_at ends_at incident_id replaces_id findings findings_sha256 proposed_by",
        ),
        global_fact("outage_files", "added_at", "outage_id file sha256"),
    ),
)
