"""What the audit knows of the columns of drafts."""

from meterai.plumbing.db.audited import Audited, Clock, Due

_A_DAY = "What somebody chose and has not ordered: gone after three days at most, and nothing is owed for it."
_TIME = ("work_is_done_in_time",)
AUDITED = Audited(
    clocks=(
        Clock("draft_files", "leased_until", "now() + interval '1 hour'"),
        Clock("drafts", "expires_at", "t.created_at + interval '31 days'"),
    ),
    dues=(
        Due("draft_files", "t.leased_until", "t.state = 'examining'", "interval '1 hour'"),
        Due("drafts", "t.expires_at", late="interval '1 hour'"),
    ),
    checked={
        "drafts": {"expires_at": _TIME},
        "draft_files": {
            "draft_id": ("draft_files_have_their_draft",),
            "placements": ("drafts_that_were_ordered_were_placed",),
        },
    },
    unchecked={
        "drafts": dict.fromkeys(
            (
                "draft_id",
                "token_hash",
                "owner_id",
                "network",
                "widest",
                "order_key",
                "order_id",
                "is_done",
                "merged_into",
                "created_at",
            ),
            _A_DAY,
        ),
        "draft_files": dict.fromkeys(
            (
                "file_id",
                "name",
                "bytes",
                "received",
                "digest",
                "parts",
                "state",
                "content_id",
                "leased_until",
                "sha256",
                "pages",
                "sizes",
                "is_stamped",
                "rules",
                "refusal",
                "refusal_facts",
                "version",
                "examinations",
                "added_at",
                "last_part_at",
            ),
            _A_DAY,
        ),
    },
)
