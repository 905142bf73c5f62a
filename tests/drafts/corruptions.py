"""Corruptions of rows of drafts, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "a draft that nobody forgot",
        "UPDATE drafts SET created_at = created_at - interval '3 days',"
        " expires_at = expires_at - interval '2 days'",
        "work_is_done_in_time",
    ),
    corruption(
        "files that outlived their draft",
        "DELETE FROM drafts",
        "draft_files_have_their_draft",
    ),
    corruption(
        "a document without a stamp in what was ordered",
        "UPDATE draft_files SET placements = '[]'",
        "drafts_that_were_ordered_were_placed",
    ),
)
