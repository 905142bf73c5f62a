"""Rules by which the audit checks the columns of the tables of the audit trail."""

from meterai.plumbing.db.audited import Audited, fact

AUDITED = Audited(
    facts=(fact("audit_events", "happened_at", "event_id actor action subject facts"),),
    of_accounts=("audit_events",),
)
