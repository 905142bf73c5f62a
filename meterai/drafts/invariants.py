"""Invariants of drafts."""

from meterai.plumbing.db.invariants import Invariant

INVARIANTS = (
    Invariant(
        "draft_files_have_their_draft",
        "No file exists longer than its draft.",
        """
        SELECT f.draft_id, f.file_id FROM draft_files f
        WHERE NOT EXISTS (SELECT 1 FROM drafts d WHERE d.draft_id = f.draft_id)
        """,
    ),
    Invariant(
        "drafts_that_were_ordered_were_placed",
        "An ordered draft keeps exactly the ordered files, each with its stamps and without its "
        "bytes; a draft that was not ordered has no such file.",
        """
        SELECT f.draft_id, f.file_id, f.state, d.order_id FROM draft_files f
        JOIN drafts d ON d.draft_id = f.draft_id
        WHERE d.is_done <> (f.state = 'ordered')
            OR f.state = 'ordered' AND (f.placements = '[]' OR f.content_id IS NOT NULL
                OR f.parts <> '{}' OR d.merged_into IS NOT NULL)
        """,
    ),
)
