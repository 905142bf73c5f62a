"""Rules by which the audit checks the columns of the tables of finance."""

from meterai.plumbing.db.audited import Audited, ClockColumn, SubjectColumn, global_fact

_COUNTED = (
    "Computed from legs, which the check channels_are_their_legs compares with it; it "
    "moves no money."
)
AUDITED = Audited(
    facts=(
        global_fact("day_closes", "closed_at", "day entries sha256 manifest"),
        global_fact("payouts", "approved_at", "payout_id amount month deposit_code approved_by"),
        global_fact("payouts", "sent_at", "payout_id billing_code", name="payouts_sent"),
        global_fact(
            "payouts",
            "ended_at",
            "payout_id state bank_line paid_at ntpn why_failed",
            name="payouts_ended",
        ),
    ),
    clocks=(ClockColumn("channel_counts", "kept_until", "now()"),),
    shown={
        "channel_sums": _COUNTED,
        "channel_counts": _COUNTED,
    },
    subjects={
        "payouts": SubjectColumn("payout_id", is_global=True),
    },
)
