"""What must be true of stampings."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "delivered_stamping_has_its_delta",
        "Every delivered stamping has a delta whose hash matches, and no other stamping has one.",
        """
        SELECT s.account_id, s.stamping_id, s.state FROM stampings s
        LEFT JOIN deltas d USING (account_id, stamping_id)
        WHERE (s.state = 'delivered') <> (d.delta IS NOT NULL)
            OR (d.delta IS NOT NULL AND sha256(d.delta) <> d.sha256)
        """,
    ),
    Invariant(
        "stamping_agrees_with_its_serials",
        "Serials are affixed when delivered, reserved while reserved, void when failed; all of "
        "them, one per placement.",
        """
        SELECT s.account_id, s.stamping_id, s.state, s.quantity, count(t.serial) AS serials
        FROM stampings s LEFT JOIN stamps t USING (account_id, stamping_id)
        GROUP BY s.account_id, s.stamping_id
        HAVING count(t.serial) FILTER (WHERE t.state = CASE s.state
                WHEN 'delivered' THEN 'affixed' WHEN 'reserved' THEN 'reserved'
                WHEN 'failed' THEN 'void' END)
            <> CASE WHEN s.state IN ('waiting', 'dropped') THEN 0 ELSE s.quantity END
            OR count(t.serial) <> CASE WHEN s.state IN ('waiting', 'dropped') THEN 0
                                       ELSE s.quantity END
        """,
    ),
    Invariant(
        "serial_is_on_one_document",
        "Every serial belongs to a stamping, and so to one document.",
        """
        SELECT t.account_id, t.serial FROM stamps t
        LEFT JOIN stampings s USING (account_id, stamping_id) WHERE s.stamping_id IS NULL
        """,
    ),
    Invariant(
        "no_stamping_past_its_due_time",
        "No stamping is reserved more than ten minutes past its due time.",
        """
        SELECT account_id, stamping_id, due_at FROM stampings
        WHERE state = 'reserved' AND due_at < now() - interval '10 minutes'
        """,
    ),
)
