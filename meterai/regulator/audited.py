"""Rules by which the audit checks the columns of the tables of regulator."""

from meterai.plumbing.db.audited import Audited, global_fact

AUDITED = Audited(
    facts=(
        global_fact("extracts", "made_at", "day rows size sha256 manifest"),
        global_fact("statements", "closed_at", "month"),
    ),
)
