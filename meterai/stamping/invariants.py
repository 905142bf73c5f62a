"""Invariants of stampings."""

from meterai.plumbing.db.invariants import AHEAD, Invariant, MailCause, Posting, waits

_ENDS = ("stamping_delivered", "stamping_failed")

POSTINGS = (
    Posting(
        ("stamps_affixed",),
        """
        SELECT s.account_id, 'affixed:' || s.stamping_id, 'stamps_affixed',
               coalesce(s.order_id, s.stamping_id), s.delivered_at,
               ARRAY[CASE WHEN s.order_id IS NULL THEN 'stamps_available'
                     ELSE 'stamps_ordered' END,
                     'stamps_affixed', 'buyer_funds', 'duty_payable', 'service_fee'],
               ARRAY[-s.quantity, s.quantity,
                     -s.quantity * coalesce(o.unit_price + o.service_fee, 0),
                     s.quantity * coalesce(o.unit_price, 0),
                     s.quantity * coalesce(o.service_fee, 0)]
        FROM {stampings} s LEFT JOIN {orders?} o ON o.account_id = s.account_id
            AND o.order_id = s.order_id
        WHERE s.state = 'delivered'
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        # A document of an order needs no mail of its own: the mail of the order covers its stamped documents.
        """
        SELECT s.account_id, 'stamping_' || s.state || ':' || stamping_id, 'stamping_' || s.state, NULL,
               CASE WHEN s.state = 'failed' OR order_id IS NULL THEN h.resolved_at END, stamping_id::text
        FROM {stampings*} s
        LEFT JOIN {holds*} h ON h.account_id = s.account_id AND h.hold_id = s.stamping_id
        WHERE s.state IN ('delivered', 'failed') AND NOT s.is_quiet
        """,
        _ENDS,
        "stamping",
    ),
)

INVARIANTS = (
    Invariant(
        "facts_are_told_where_demanded",
        "Every document whose account must state its facts had complete facts when its stamping "
        "was requested.",
        f"""
        SELECT s.account_id, s.stamping_id, s.requested_at, f.type, f.number, f.dated, f.value, f.told_at FROM {{stampings}} s
        JOIN facts_demanded d ON d.account_id = s.account_id AND d.demanded_at < s.requested_at
        LEFT JOIN stamping_facts f ON f.account_id = s.account_id AND f.stamping_id = s.stamping_id
        WHERE s.requested_at > now() - interval '10 years' AND (f.told_at IS DISTINCT FROM s.requested_at
            OR num_nulls(f.type, f.number, f.dated, f.value, f.party_name, f.identity_kind, f.identity_number) > 0)
        UNION ALL
        SELECT d.account_id, NULL, d.demanded_at, NULL, NULL, NULL, NULL, NULL FROM {{facts_demanded*}} d
        WHERE d.demanded_at > now() + {AHEAD}
        """,
    ),
    Invariant(
        "member_use_is_what_was_asked",
        "The use of a member's limit belongs to a stamping from the balance or an order of "
        "documents of its organization, and counts their stamps; uses that ended without stamps "
        "were given back.",
        """
        SELECT u.account_id, u.use_id, u.member_id, u.stamps, u.returned, u.used_at FROM {member_uses*} u
        LEFT JOIN {stampings*} s ON s.account_id = u.account_id AND s.stamping_id = u.use_id AND s.order_id IS NULL
        LEFT JOIN {orders*} o ON o.account_id = u.account_id AND o.order_id = u.use_id AND o.kind = 'documents'
        WHERE u.stamps IS DISTINCT FROM coalesce(s.quantity, o.quantity)
            OR u.used_at IS DISTINCT FROM coalesce(s.requested_at, o.placed_at)
            OR u.returned <> CASE
                WHEN s.state = 'failed' OR o.state IN ('lapsed', 'withdrawn', 'returning', 'returned') THEN u.stamps
                WHEN o.order_id IS NULL THEN 0
                ELSE (SELECT coalesce(sum(f.quantity), 0) FROM {stampings*} f WHERE f.account_id = u.account_id
                    AND f.order_id = u.use_id AND f.state = 'failed') END
            OR NOT EXISTS (SELECT 1 FROM {organizations*} g WHERE g.account_id = u.account_id)
            OR NOT EXISTS (SELECT 1 FROM accounts a WHERE a.account_id = u.member_id)
        """,
    ),
    Invariant(
        "stamping_has_its_delta",
        "Every delivered stamping has a delta, and no other stamping has one.",
        """
        SELECT account_id, stamping_id, s.state FROM {stampings} s
        FULL JOIN (SELECT account_id, stamping_id, octet_length(delta) AS bytes
                   FROM {deltas} x) d USING (account_id, stamping_id)
        WHERE (s.state IS NOT DISTINCT FROM 'delivered') <> (coalesce(d.bytes, 0) > 0)
            OR (s.state IS NULL AND d.bytes IS NOT NULL)
        """,
    ),
    Invariant(
        "delta_is_what_was_delivered",
        "The bytes of every delta have the hash that was recorded with them.",
        """
        -- Rows are selected first; their bytes are read after that.
        SELECT d.account_id, d.stamping_id FROM (SELECT * FROM {deltas} x OFFSET 0) d
        WHERE sha256(d.delta) <> d.sha256
        """,
    ),
    Invariant(
        "delta_names_its_serials",
        "Every readable delta contains the serials and the hash of the original that were "
        "recorded with it.",
        """
        SELECT d.account_id, d.stamping_id, t.serials
        FROM (SELECT * FROM {deltas} x OFFSET 0) d
        JOIN {stampings} s USING (account_id, stamping_id)
        LEFT JOIN LATERAL (
            SELECT array_agg(x.serial ORDER BY x.position) AS serials,
                   bool_and(position(convert_to('(' || x.serial || ')', 'UTF8') IN d.delta) > 0)
                       AS are_named
            FROM {stamps?} x WHERE x.account_id = d.account_id AND x.stamping_id = d.stamping_id
        ) t ON true
        -- In an encrypted document the serials are encrypted too.
        WHERE position('/Serials[('::bytea IN d.delta) > 0 AND (
            NOT coalesce(t.are_named, false)
            OR position(convert_to('/OriginalSHA256<' || encode(s.sha256_original, 'hex') || '>',
                                   'UTF8') IN d.delta) = 0)
        """,
    ),
    Invariant(
        "stamping_agrees_with_its_serials",
        "Serials are affixed if their stamping was delivered, reserved while it is reserved, "
        "void if it failed; each placement has one serial, all have the same time, and their "
        "stamps were bought for this purpose.",
        """
        SELECT s.account_id, s.stamping_id, s.state, s.quantity, t.serials, t.wrong
        FROM {stampings} s LEFT JOIN (
            SELECT t.account_id, t.stamping_id, count(*) AS serials, max(t.position) AS last,
                   min(t.position) AS first,
                   count(*) FILTER (WHERE s.state IS NULL
                       OR t.state IS DISTINCT FROM CASE s.state WHEN 'delivered' THEN 'affixed'
                           WHEN 'reserved' THEN 'reserved' WHEN 'failed' THEN 'void' END
                       OR t.affixed_at IS DISTINCT FROM s.delivered_at
                       OR t.reserved_at < s.requested_at OR t.affixed_at < t.reserved_at
                       OR t.voided_at < t.reserved_at
                       OR (s.order_id IS NOT NULL AND t.lot_id <> s.order_id)
                       OR l.book IS DISTINCT FROM CASE WHEN s.order_id IS NULL
                           THEN 'stamps_available' ELSE 'stamps_ordered' END
                       OR (s.order_id IS NULL AND l.issued_at > t.reserved_at)) AS wrong
            FROM {stamps} t
            LEFT JOIN {stampings?} s ON s.account_id = t.account_id
                AND s.stamping_id = t.stamping_id
            LEFT JOIN {stamp_lots?} l ON l.account_id = t.account_id AND l.lot_id = t.lot_id
            GROUP BY t.account_id, t.stamping_id
        ) t ON t.account_id = s.account_id AND t.stamping_id = s.stamping_id
        WHERE coalesce(t.serials, 0) <> CASE WHEN s.state IN ('waiting', 'dropped') THEN 0
                                        ELSE s.quantity END
            OR t.wrong > 0 OR t.first <> 1 OR t.last <> s.quantity
        """,
    ),
    Invariant(
        "serial_is_on_one_document",
        "Every serial belongs to a stamping, and so to one document.",
        """
        SELECT t.account_id, t.serial FROM {stamps@lot_id} t
        LEFT JOIN {stampings?} s ON s.account_id = t.account_id AND s.stamping_id = t.stamping_id
        WHERE s.stamping_id IS NULL
        """,
    ),
    Invariant(
        "stamping_agrees_with_its_hold",
        "A reserved stamping holds as many stamps as it has placements, from the right book, "
        "until it ends; nothing else holds stamps.",
        """
        SELECT coalesce(s.account_id, h.account_id) AS account_id,
               coalesce(s.stamping_id, h.hold_id) AS stamping_id, s.state, h.state AS hold,
               s.quantity, h.amount, h.book
        FROM {stampings} s FULL JOIN {holds} h
            ON h.account_id = s.account_id AND h.hold_id = s.stamping_id
        WHERE s.stamping_id IS NULL
            OR (h.hold_id IS NULL) <> (s.state IN ('waiting', 'dropped'))
            OR (h.hold_id IS NOT NULL AND (
                h.state IS DISTINCT FROM CASE s.state WHEN 'reserved' THEN 'held'
                    WHEN 'delivered' THEN 'posted' WHEN 'failed' THEN 'voided' END
                OR h.amount <> s.quantity OR h.subject <> s.stamping_id::text
                OR h.book <> CASE WHEN s.order_id IS NULL THEN 'stamps_available'
                             ELSE 'stamps_ordered' END
                OR h.held_at < s.requested_at OR h.resolved_at < h.held_at
                OR (s.state = 'delivered' AND h.resolved_at <> s.delivered_at)))
        """,
    ),
    Invariant(
        "stamping_is_of_its_order",
        "The documents of an order use the stamps of the order together, and their states agree "
        "with its state.",
        f"""
        SELECT o.account_id, o.order_id, o.state, o.quantity, s.stamps, s.states
        FROM {{orders}} o LEFT JOIN LATERAL (
            SELECT sum(x.quantity) AS stamps, count(*) AS documents, max(x.position) AS last,
                   min(x.position) AS first, array_agg(DISTINCT x.state) AS states
            FROM {{stampings?}} x WHERE x.account_id = o.account_id AND x.order_id = o.order_id
        ) s ON true
        WHERE (o.kind = 'stamps' AND s.documents > 0)
            OR (o.kind = 'documents' AND (
                coalesce(s.stamps, 0) <> o.quantity OR s.first <> 1 OR s.last <> s.documents
                OR (o.state IN ('placed', 'lapsed') AND s.states <> ARRAY['waiting'])
                OR (o.state = 'paid' AND 'dropped' = ANY (s.states))
                OR (o.state = 'executed' AND NOT ('delivered' = ANY (s.states)
                    AND s.states <@ ARRAY['delivered', 'failed']))
                OR (o.state IN ('withdrawn', 'returning', 'returned', 'denied')
                    AND 'waiting' = ANY (s.states)
                    AND NOT {
            waits(
                "o", ["order_withdrawn", "order_returning", "order_denied"], "order", "o.order_id"
            )
        })
                OR (o.state = 'withdrawn' AND NOT s.states <@ ARRAY['waiting', 'dropped'])
                OR (o.state IN ('returning', 'returned')
                    AND s.states && ARRAY['reserved', 'delivered'])))
        """,
    ),
    Invariant(
        "stamping_belongs_to_an_order_or_a_balance",
        "Every stamping of an order belongs to an existing order, and every stamping to an "
        "account.",
        f"""
        SELECT s.account_id, s.stamping_id, s.order_id FROM {{stampings}} s
        LEFT JOIN {{orders?}} o ON o.account_id = s.account_id AND o.order_id = s.order_id
        LEFT JOIN {{accounts?}} a ON a.account_id = s.account_id
        LEFT JOIN {{documents?}} d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
        WHERE (s.order_id IS NOT NULL AND (o.order_id IS NULL OR o.placed_at > s.requested_at))
            OR a.account_id IS NULL OR d.sha256 IS NULL OR d.bytes < 1 OR d.pages < 1
            OR s.quantity <> jsonb_array_length(s.placements)
            OR s.requested_at > now() + {AHEAD} OR s.delivered_at > now() + {AHEAD}
            OR s.delivered_at < s.requested_at
            OR (s.order_id IS NOT NULL AND s.state NOT IN ('waiting', 'dropped')
                AND s.due_at IS DISTINCT FROM o.due_at)
            OR (s.state = 'reserved' AND s.due_at IS NULL)
            OR (s.order_id IS NULL AND s.due_at > s.requested_at + interval '7 days')
            OR s.leased_until > now() + interval '1 day'
        """,
    ),
    Invariant(
        "key_stands_for_its_stampings",
        "An Idempotency-Key belongs to existing stampings from a balance, those of its request.",
        """
        SELECT k.account_id, k.idempotency_key, one AS stamping_id
        FROM {stamping_keys*} k CROSS JOIN LATERAL unnest(k.stampings) AS one
        LEFT JOIN {stampings?} s ON s.account_id = k.account_id AND s.stamping_id = one
        WHERE s.stamping_id IS NULL OR s.order_id IS NOT NULL
            OR (cardinality(k.stampings) = 1 AND s.idempotency_key = k.idempotency_key
                AND s.request_hash <> k.request_hash)
        """,
    ),
    Invariant(
        "stamping_is_found_by_its_key",
        "Every stamping from a balance is found by the Idempotency-Key of its request, so that a "
        "repeat costs no second stamp.",
        """
        SELECT s.account_id, s.stamping_id, s.idempotency_key FROM {stampings} s
        CROSS JOIN LATERAL (SELECT ':' || encode(s.sha256_original, 'hex') AS suffix) x
        WHERE s.order_id IS NULL
            -- Stampings from before the table of keys are found by their own key.
            AND s.requested_at > (SELECT applied_at FROM applied_migrations
                                  WHERE name = '0014_stamping.sql')
            AND NOT EXISTS (SELECT 1 FROM {stamping_keys?} k WHERE k.account_id = s.account_id
                AND s.stamping_id = ANY (k.stampings)
                AND k.idempotency_key IN (s.idempotency_key,
                    CASE WHEN right(s.idempotency_key, 65) = x.suffix  -- one of several documents
                         THEN left(s.idempotency_key, -65) END))
        """,
    ),
    Invariant(
        "paid_documents_are_taken_up",
        "Every document of a paid order that waits for its stamps has the job that reserves "
        "them, and an order whose documents have all ended has the job that closes it.",
        f"""
        SELECT o.account_id, o.order_id, s.open, s.waiting FROM {{orders}} o
        JOIN {{stamp_lots}} l ON l.account_id = o.account_id AND l.lot_id = o.order_id
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE x.state = 'waiting') AS waiting,
                   count(*) FILTER (WHERE x.state IN ('waiting', 'reserved')) AS open
            FROM {{stampings?}} x WHERE x.account_id = o.account_id AND x.order_id = o.order_id
        ) s
        WHERE o.state = 'paid' AND o.kind = 'documents' AND (
            (s.waiting > 0 AND NOT {waits("o", ["order_paid"], "order", "o.order_id")})
            OR (s.open = 0 AND NOT {waits("o", _ENDS, "order", "o.order_id")}))
        """,
    ),
)
