"""What must be true of stamps."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "serial_given_out_once",
        "No serial was ever given out twice, to whomever.",
        "SELECT serial, count(*) AS times FROM stamps GROUP BY serial HAVING count(*) > 1",
    ),
    Invariant(
        "serial_directory_agrees",
        "The directory knows every affixed serial of a finished outbox, and the right account.",
        """
        SELECT s.serial, s.account_id, d.account_id AS directory
        FROM stamps s LEFT JOIN serial_directory d USING (serial)
        WHERE s.state = 'affixed' AND d.account_id IS DISTINCT FROM s.account_id
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'stamping_delivered'
                            AND j.facts->>'stamping' = s.stamping_id::text)
        """,
    ),
    Invariant(
        "lots_agree_with_serials",
        "What a lot says is held and affixed is what its serials say.",
        """
        SELECT l.account_id, l.lot_id, l.held, l.affixed,
               count(s.serial) FILTER (WHERE s.state = 'reserved') AS reserved_serials,
               count(s.serial) FILTER (WHERE s.state = 'affixed') AS affixed_serials
        FROM stamp_lots l LEFT JOIN stamps s USING (account_id, lot_id)
        GROUP BY l.account_id, l.lot_id
        HAVING l.held <> count(s.serial) FILTER (WHERE s.state = 'reserved')
            OR l.affixed <> count(s.serial) FILTER (WHERE s.state = 'affixed')
        """,
    ),
    Invariant(
        "stamp_books_agree_with_lots",
        "Stamps in the books are the stamps in the lots, for every account and book.",
        """
        SELECT coalesce(b.account_id, l.account_id) AS account_id, b.book, b.posted, l.free
        FROM (SELECT * FROM balances WHERE book LIKE 'stamps\\_%') b FULL JOIN (
            SELECT account_id, book, sum(issued - affixed - returned) AS free
            FROM stamp_lots GROUP BY account_id, book
        ) l ON l.account_id = b.account_id AND l.book = b.book
        WHERE coalesce(b.posted, 0) <> coalesce(l.free, 0)
        """,
    ),
)
