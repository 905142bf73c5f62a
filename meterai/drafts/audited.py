"""Rules by which the audit checks the columns of the tables of drafts."""

from meterai.plumbing.db.audited import Audited, ClockColumn, DueWork

_A_DAY = (
    "Files that were chosen and not ordered: deleted after three days at most, and no money "
    "depends on them."
)
AUDITED = Audited(
    clocks=(
        ClockColumn("draft_files", "leased_until", "now() + interval '1 hour'"),
        ClockColumn("drafts", "expires_at", "t.created_at + interval '31 days'"),
    ),
    dues=(
        DueWork("draft_files", "t.leased_until", "t.state = 'examining'", "interval '1 hour'"),
        DueWork("drafts", "t.expires_at", late="interval '1 hour'"),
    ),
    shown={
        "drafts": {
            _A_DAY: "draft_id token_hash owner_id network widest order_key order_id is_done merged_into created_at",
        },
        "draft_files": {
            _A_DAY: "file_id name bytes received digest parts state content_id leased_until sha256 pages sizes is_stamped rules refusal refusal_facts version examinations added_at last_part_at",
        },
    },
)
