"""Invariants of batches."""

from meterai.plumbing.db.invariants import Invariant

INVARIANTS = (
    Invariant(
        "batch_stands_where_its_rows_do",
        "A batch that ended has no open row; a batch that was not started has no row with a stamp.",
        """
        SELECT b.account_id, b.batch_id, b.state, r.open, r.begun FROM {batches*} b
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE x.state IN ('waiting', 'reserved')) AS open,
                   count(*) FILTER (WHERE x.state IN ('reserved', 'delivered', 'failed')) AS begun
            FROM {batch_rows*} x WHERE x.account_id = b.account_id AND x.batch_id = b.batch_id
        ) r
        WHERE (b.state IN ('finished', 'cancelled') AND r.open > 0)
            OR (b.state = 'open' AND r.begun > 0)
            OR (b.state NOT IN ('open', 'cancelled') AND b.started_at IS NULL AND r.begun > 0)
            OR b.state NOT IN ('open', 'waiting_for_stamps', 'working', 'cancelling', 'finished', 'cancelled')
            OR b.started_at < b.made_at OR b.ended_at < b.made_at OR b.ended_at < b.started_at OR b.order_count < 0
            OR (b.state IN ('finished', 'cancelled')) <> (b.ended_at IS NOT NULL)
            OR (b.state IN ('working', 'waiting_for_stamps', 'finished') AND b.started_at IS NULL)
            OR (b.order_id IS NOT NULL) <> (b.order_count > 0)
        """,
    ),
    Invariant(
        "row_stands_where_its_stamping_does",
        "A delivered row has a delivered stamping of its document, a failed row a failed "
        "stamping, and a row without a stamp is bound to no stamping.",
        """
        SELECT r.account_id, r.batch_id, r.number, r.state, s.state AS stamping FROM {batch_rows*} r
        LEFT JOIN {stampings*} s ON s.account_id = r.account_id AND s.stamping_id = r.stamping_id
        WHERE (r.stamping_id IS NOT NULL AND (s.stamping_id IS NULL OR s.sha256_original <> r.sha256
                OR s.quantity <> r.quantity))
            OR (r.state = 'delivered' AND s.state IS DISTINCT FROM 'delivered')
            OR (r.state = 'failed' AND s.state IS DISTINCT FROM 'failed')
            OR (r.state IN ('waiting', 'refused', 'cancelled') AND r.stamping_id IS NOT NULL)
            OR r.state NOT IN ('waiting', 'refused', 'reserved', 'delivered', 'failed', 'cancelled')
        """,
    ),
    Invariant(
        "subject_has_one_stamping",
        "The stamping recorded for a document that is in several batches is an existing stamping "
        "of the same account.",
        """
        SELECT b.account_id, encode(b.subject, 'hex') AS subject, b.stamping_id FROM {batch_stampings*} b
        WHERE NOT EXISTS (SELECT 1 FROM {stampings*} s
                          WHERE s.account_id = b.account_id AND s.stamping_id = b.stamping_id)
        """,
    ),
    Invariant(
        "batch_rows_are_numbered",
        "The rows of a batch are numbered from 1 without a gap, and their files are stored "
        "documents.",
        """
        SELECT account_id, batch_id, count(*) AS rows, max(number) AS last FROM {batch_rows*}
        GROUP BY account_id, batch_id HAVING min(number) <> 1 OR max(number) <> count(*)
        UNION ALL
        SELECT f.account_id, f.batch_id, 0, 0 FROM {batch_files*} f
        LEFT JOIN {documents*} d ON d.account_id = f.account_id AND d.sha256 = f.sha256
        LEFT JOIN {batches*} b ON b.account_id = f.account_id AND b.batch_id = f.batch_id
        WHERE d.sha256 IS NULL OR d.bytes <> f.bytes OR b.batch_id IS NULL
        """,
    ),
)
