"""Rules by which the audit checks the columns of the tables of approvals."""

from meterai.plumbing.db.audited import Audited, ClockColumn, DueWork, global_fact

_HASHED = (
    "The SHA-256 of this column, of the staff action and of the forecast is a fact; "
    "blanked after a year."
)

AUDITED = Audited(
    clocks=(ClockColumn("approvals", "expires_at", "t.requested_at + interval '31 days'"),),
    dues=(DueWork("approvals", "t.expires_at", "t.state = 'waiting'"),),
    facts=(
        global_fact(
            "approvals",
            "requested_at",
            "approval_id command reason forecast_sha256 rows rupiah requested_by expires_at",
        ),
        global_fact(
            "approvals",
            "decided_at",
            "approval_id state decided_by",
            name="approvals_decided",
        ),
    ),
    shown={
        "approvals": {
            _HASHED: "arguments forecast",
            "A constraint compares it with arguments and forecast (`approval_stays_as_asked`).": "kept_sha256",
            "Note of the decider for the requester; blanked after a year.": "note",
            "Shown to the approver of a request whose forecast changed; nothing was executed.": "found",
        },
    },
)
