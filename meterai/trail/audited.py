"""Audit classes of the columns of the trail."""

from meterai.plumbing.db.audited import Audited, fact

AUDITED = Audited(
    facts=(fact("audit_events", "happened_at", "event_id actor action subject facts"),),
    of_accounts=("audit_events",),
)
