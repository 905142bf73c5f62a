"""Personal data of drafts."""

from datetime import timedelta

from meterai.plumbing.db.personal import KeepReason, Personal, PersonalTable

PERSONAL = Personal(
    ids={"order_id": "ord"},
    tables=(
        PersonalTable(
            table="draft_files",
            columns="file_id draft_id name bytes state pages added_at placements",
            inner="received digest parts content_id leased_until sha256 sizes is_stamped rules refusal refusal_facts version"
            " examinations last_part_at",
            whose="t.draft_id IN (SELECT d.draft_id FROM drafts d WHERE d.owner_id = %s)",
            kept=KeepReason.BRIEFLY,
            since="now()",
            keeps=timedelta(hours=1),
        ),
        PersonalTable(
            table="drafts",
            columns="draft_id created_at order_id expires_at network",
            inner="owner_id order_key is_done merged_into widest",
            hidden="token_hash",
            whose="t.owner_id = %s",
            # The next run of `forget_drafts` deletes it with its files.
            blanks={
                "expires_at": "least(expires_at, greatest(now(), created_at + interval '1 second'))"
            },
            kept=KeepReason.BRIEFLY,
            since="now()",
            keeps=timedelta(hours=1),
        ),
    ),
)
