"""What must be true of drafts."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "drafts_are_forgotten_in_time",
        "A draft is forgotten a day after it was used, with its files, and three after it began.",
        """
        SELECT draft_id, owner_id, created_at, expires_at FROM drafts
        WHERE expires_at < now() - interval '1 hour'
        """,
    ),
    Invariant(
        "draft_files_have_their_draft",
        "No file outlives its draft.",
        """
        SELECT f.draft_id, f.file_id FROM draft_files f
        WHERE NOT EXISTS (SELECT 1 FROM drafts d WHERE d.draft_id = f.draft_id)
        """,
    ),
    Invariant(
        "drafts_that_were_ordered_were_placed",
        "Of a draft that was ordered every document that can be stamped has its stamps, each once.",
        """
        SELECT f.draft_id, f.file_id, f.state, d.order_id FROM draft_files f
        JOIN drafts d ON d.draft_id = f.draft_id
        WHERE d.order_id IS NOT NULL AND f.state IN ('ready', 'repaired') AND f.placements = '[]'
            AND NOT EXISTS (  -- the same bytes chosen twice are stamped once
                SELECT 1 FROM draft_files o
                WHERE o.draft_id = f.draft_id AND o.sha256 = f.sha256 AND o.file_id < f.file_id
            )
        """,
    ),
)
