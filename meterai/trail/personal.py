"""Personal data of the audit trail."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable

PERSONAL = Personal(
    name="audit",  # the file in a copy of personal data is data/audit.json
    basis=Basis.LAW,
    tables=(
        PersonalTable(
            table="audit_events",
            columns="event_id happened_at action subject",
            inner="account_id",
            others="actor facts",  # actor and facts may name staff
            also={"actor_kind": "split_part(t.actor, ':', 1)"},
            kept=KeepReason.PROOF,
        ),
    ),
)
