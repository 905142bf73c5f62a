"""Invariants of stamps."""

from meterai.plumbing.db.invariants import AHEAD, Invariant, Posting, waits

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MODULUS = 1021  # modulus of the check characters of a serial, see kit/serial.py


def _digit(place: int) -> str:
    return f"(strpos('{_ALPHABET}', substr(s.serial, {place + 1}, 1)) - 1)"


# SQL: the first twenty characters of a serial as a number modulo 1021, and its last two characters as a number.
_BODY = " + ".join(f"{_digit(place)} * {pow(32, 19 - place, _MODULUS)}" for place in range(20))
_CHECK = f"{_digit(20)} * 32 + {_digit(21)}"

POSTINGS = (
    Posting(
        ("stamps_returned", "stamps_recovered"),
        # The id of the entry ends with two counts: stamps of the lot returned so far, and stamps returned by this entry.
        """
        SELECT l.account_id, e.entry_id, e.reason, l.lot_id, e.posted_at,
               ARRAY[l.book, 'stamps_issued', 'buyer_funds', 'duty_payable', 'service_fee'],
               ARRAY[-u.stamps, u.stamps] || CASE l.book WHEN 'stamps_available'
                   THEN ARRAY[u.stamps * (l.unit_price + l.service_fee), -u.stamps * l.unit_price,
                              -u.stamps * l.service_fee]
                   ELSE ARRAY[0, 0, 0]::bigint[] END
        FROM {stamp_lots} l JOIN {entries?} e ON e.account_id = l.account_id
            AND e.subject = l.lot_id AND e.reason IN ('stamps_returned', 'stamps_recovered')
            AND e.entry_id ~ ('^undone:' || l.lot_id || ':[0-9]+:[0-9]+$')
        CROSS JOIN LATERAL (SELECT split_part(e.entry_id, ':', 3)::bigint AS upto,
                                   split_part(e.entry_id, ':', 4)::bigint AS stamps) u
        WHERE u.upto <= l.returned AND u.stamps BETWEEN 1 AND u.upto
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "serial_given_out_once",
        "No serial was ever given out twice, to any account, and the check character of every "
        "serial is right.",
        f"""
        SELECT s.account_id, s.serial, s.stamping_id, o.account_id AS other_account
        FROM {{stamps}} s LEFT JOIN stamps o ON o.serial = s.serial
            AND o.account_id <> s.account_id
        WHERE o.serial IS NOT NULL OR mod({_BODY}, {_MODULUS}) <> {_CHECK}
        """,
    ),
    Invariant(
        "serial_directory_agrees",
        "The directory has every affixed serial of a processed outbox, with the right account.",
        f"""
        SELECT s.serial, s.account_id, d.account_id AS directory
        FROM {{stamps}} s LEFT JOIN serial_directory d ON d.serial = s.serial
        WHERE (s.state = 'affixed' AND d.account_id IS DISTINCT FROM s.account_id
                AND (d.account_id IS NOT NULL OR NOT
                     ({waits("s", ["stamping_delivered"], "stamping", "s.stamping_id")}
                      OR EXISTS (SELECT 1 FROM jobs j WHERE j.account_id = s.account_id
                          AND j.kind = 'stampings_delivered'
                          AND j.facts->'stampings' @> to_jsonb(s.stamping_id)))))
            OR (s.state <> 'affixed' AND d.account_id IS NOT NULL)
        """,
    ),
    Invariant(
        "directory_knows_only_stamps",
        "Every serial of the directory is an affixed stamp of the account named there.",
        """
        SELECT d.serial, d.account_id FROM {serial_directory*} d
        WHERE NOT EXISTS (SELECT 1 FROM {stamps?} s WHERE s.account_id = d.account_id
                          AND s.serial = d.serial AND s.state = 'affixed')
        """,
    ),
    Invariant(
        "lots_agree_with_serials",
        "The held and affixed counts of a lot are those of its serials.",
        """
        SELECT account_id, lot_id, sum(held) AS held, sum(affixed) AS affixed,
               sum(reserved_serials) AS reserved_serials, sum(affixed_serials) AS affixed_serials
        FROM (
            SELECT account_id, lot_id, held, affixed, 0 AS reserved_serials, 0 AS affixed_serials
            FROM {stamp_lots} l
            UNION ALL
            SELECT account_id, lot_id, 0, 0, (state = 'reserved')::integer,
                   (state = 'affixed')::integer
            FROM {stamps@lot_id} s
        ) sides
        GROUP BY account_id, lot_id
        HAVING sum(held) <> sum(reserved_serials) OR sum(affixed) <> sum(affixed_serials)
        """,
    ),
    Invariant(
        "lot_is_not_overdrawn",
        "No lot has more stamps held, affixed and returned than it issued.",
        """
        SELECT account_id, lot_id, issued, held, affixed, returned FROM {stamp_lots} l
        WHERE issued < 1 OR held < 0 OR affixed < 0 OR returned < 0
            OR issued < held + affixed + returned
        """,
    ),
    Invariant(
        "stamp_books_agree_with_lots",
        "The stamps in the books equal the stamps in the lots, for every account and book.",
        """
        SELECT account_id, book, sum(posted) AS posted, sum(free) AS free FROM (
            SELECT account_id, book, posted, 0 AS free FROM {balances*} b
            WHERE book IN ('stamps_available', 'stamps_ordered')
            UNION ALL
            SELECT account_id, book, 0, issued - affixed - returned FROM {stamp_lots*} l
        ) sides
        GROUP BY account_id, book HAVING sum(posted) <> sum(free)
        """,
    ),
    Invariant(
        "issuing_was_changed_by_an_operator",
        "Issuing is on or off according to the last act of an operator in the audit trail.",
        f"""
        SELECT i.is_open, i.changed_at, e.action, e.happened_at
        FROM issuing i LEFT JOIN LATERAL (
            SELECT action, happened_at, facts->>'reason' AS reason FROM audit_events e
            WHERE e.account_id = '00000000-0000-0000-0000-000000000000'
                AND e.action IN ('issuing_opened', 'issuing_stopped')
            ORDER BY happened_at DESC LIMIT 1) e ON true
        WHERE i.changed_at > now() + {AHEAD}
            OR (e.action IS NULL AND NOT i.is_open)
            OR (e.action IS NOT NULL AND (
                i.is_open <> (e.action = 'issuing_opened') OR i.changed_at <> e.happened_at
                OR i.reason <> e.reason))
        UNION ALL
        SELECT NULL, NULL, 'no row of issuing', NULL WHERE (SELECT count(*) FROM issuing) <> 1
        """,
    ),
)
