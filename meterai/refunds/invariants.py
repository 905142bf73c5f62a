"""Invariants of refunds, and of money as a whole."""

from meterai.plumbing.db.invariants import AHEAD, LATE, Invariant, MailCause, Posting, waits

_SURPLUS = "('short', 'excess', 'double', 'late', 'remainder', 'restored')"

# SQL: each payment with the part that is not assigned yet (`rest`), which a job will move.  All other money of a payment
# is in the stamps of its order, in refunds, or was taken back by the payer's bank (or given back by the provider
# without our refund) and recovered.  See payment_left and order_used.
_TAKEN = """
    SELECT c.account_id, c.attempt_id, c.payment, c.amount, c.denied_at, a.subject AS order_id,
           coalesce(b.posted - b.won, 0) AS posted, coalesce(b.lost, 0) AS lost,
           coalesce(r.reversed, 0) AS reversed,
           coalesce(b.returned, 0) AS returned, coalesce(b.returned_posted, 0) AS returned_posted,
           CASE WHEN b.is_whole THEN c.amount
                ELSE least(coalesce(b.taken_back - b.won, 0), c.amount) END AS taken_back,
           c.amount - coalesce(b.posted - b.won + b.returned_posted - b.lost, 0) - coalesce(r.given, 0)
               - CASE WHEN o.paid_attempt = c.attempt_id AND o.paid_payment = c.payment THEN
                     CASE WHEN l.lot_id IS NOT NULL
                              THEN (l.issued - l.returned) * (l.unit_price + l.service_fee)
                          WHEN d.order_id IS NOT NULL THEN d.added - d.withdrawn
                          WHEN o.state = 'paid' THEN o.total ELSE 0 END
                 ELSE 0 END AS rest
    FROM {captures} c
    JOIN {payment_attempts} a USING (account_id, attempt_id)
    JOIN {orders} o ON o.account_id = c.account_id AND o.order_id = a.subject
    LEFT JOIN {stamp_lots} l ON l.account_id = c.account_id AND l.lot_id = a.subject
    LEFT JOIN {order_deposits} d ON d.account_id = c.account_id AND d.order_id = a.subject
    LEFT JOIN {chargebacks} b ON b.account_id = c.account_id AND b.attempt_id = c.attempt_id
        AND b.payment = c.payment
    LEFT JOIN (SELECT account_id, attempt_id, payment, sum(amount - reversed)::bigint AS given,
                   sum(reversed)::bigint AS reversed
               FROM {refunds} x WHERE refund_counts(state) GROUP BY 1, 2, 3) r
        ON r.account_id = c.account_id AND r.attempt_id = c.attempt_id AND r.payment = c.payment
    WHERE c.learned_by <> 'denial'
"""


def _steps(reason: str, prefix: str, booked: str, book: str = "denied_loss", sign: str = "") -> str:
    """SQL that selects the ledger entries that a sum in the table `chargebacks` must have.  The sum only grows, and each
    increase has one entry.

    reason  reason of the entries
    prefix  beginning of their ids, which end with the sum after the increase
    booked  column of the sum
    book    contra book of `bank_clearing`
    sign    '-' to reverse debit and credit
    """
    return f"""
        SELECT account_id, entry_id, '{reason}', subject, posted_at,
               ARRAY['bank_clearing', '{book}'], ARRAY[{sign}grown, -({sign}grown)]
        FROM (
            SELECT b.account_id, e.entry_id, b.subject, e.posted_at, u.upto - coalesce(lag(u.upto)
                OVER (PARTITION BY b.account_id, b.attempt_id, b.payment ORDER BY u.upto), 0)
                AS grown, u.upto <= b.{booked} AS is_within
            FROM {{chargebacks}} b JOIN {{entries?}} e ON e.account_id = b.account_id
                AND e.subject = b.subject AND e.reason = '{reason}'
            CROSS JOIN LATERAL (SELECT '{prefix}:' || b.attempt_id || ':' || b.payment || ':'
                AS prefix) p
            CROSS JOIN LATERAL (SELECT substr(e.entry_id, length(p.prefix) + 1) AS tail) t
            JOIN LATERAL (SELECT CASE WHEN t.tail ~ '^[0-9]{{1,18}}$' THEN t.tail::bigint END AS upto)
                u ON starts_with(e.entry_id, p.prefix) AND u.upto > 0
        ) steps
        WHERE is_within
    """.rstrip()


POSTINGS = (
    Posting(
        ("refund_requested",),
        """
        SELECT r.account_id, 'refund:' || r.refund_id, 'refund_requested', r.order_id,
               r.requested_at,
               ARRAY['refunds_payable', 'buyer_funds', 'duty_payable', 'service_fee',
                     coalesce(l.book, 'stamps_available'), 'stamps_issued'],
               CASE WHEN r.stamps > 0 AND l.book = 'stamps_available' AND b.with_stamps
                   THEN ARRAY[r.amount, 0, -r.stamps * o.unit_price, -r.stamps * o.service_fee]
                   ELSE ARRAY[r.amount, -r.amount, 0, 0] END
               || CASE WHEN b.with_stamps THEN ARRAY[-r.stamps, r.stamps] ELSE ARRAY[0, 0] END::bigint[]
        FROM {refunds} r JOIN {orders} o USING (account_id, order_id)
        LEFT JOIN {stamp_lots} l ON l.account_id = r.account_id AND l.lot_id = r.order_id
        -- In earlier releases the entry of a refund also retired its stamps.
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM {legs?} x WHERE x.account_id = r.account_id
            AND x.entry_id = 'refund:' || r.refund_id AND x.book = 'stamps_issued') AS with_stamps) b
        """,
    ),
    Posting(
        ("refund_settled",),
        # If a refund was stopped or rerouted here but the provider carried it out all the same, its money is a loss.
        """
        SELECT r.account_id, 'settled:' || r.refund_id, 'refund_settled', r.order_id, r.settled_at,
               ARRAY[CASE WHEN v.entry_id IS NULL THEN 'refunds_payable' ELSE 'denied_loss' END,
                     CASE r.way WHEN 'transfer' THEN 'refund_float' ELSE 'bank_clearing' END],
               ARRAY[-r.amount, r.amount]
        FROM {refunds} r LEFT JOIN {entries?} v ON v.account_id = r.account_id
            AND v.entry_id = ANY (ARRAY['void:' || r.refund_id, 'rerouted:' || r.refund_id])
        WHERE r.state = 'settled'
        """,
    ),
    Posting(
        ("refund_void",),
        # The part that the payer's bank gave back reduces the loss; the rest goes back by another refund.
        """
        SELECT r.account_id, e.entry_id, 'refund_void', r.order_id, e.posted_at,
               ARRAY['refunds_payable', 'denied_loss', 'buyer_funds'],
               ARRAY[-r.amount, f.found, r.amount - f.found]
        FROM {refunds} r JOIN {entries?} e ON e.account_id = r.account_id
            AND e.entry_id = 'void:' || r.refund_id
        JOIN LATERAL (SELECT sum(l.credit)::bigint AS found FROM {legs?} l
            WHERE l.account_id = e.account_id AND l.entry_id = e.entry_id
                AND l.book = 'denied_loss') f ON f.found BETWEEN 1 AND r.amount
        WHERE r.state IN ('void', 'settled')
        """,
    ),
    Posting(
        ("refund_rerouted",),
        """
        SELECT r.account_id, 'rerouted:' || r.refund_id, 'refund_rerouted', r.order_id, n.requested_at,
               ARRAY['refunds_payable', 'buyer_funds'], ARRAY[-r.amount, r.amount]
        FROM {refunds} r JOIN {refunds} n ON n.account_id = r.account_id
            AND n.cause_key = 'rerouted:' || r.refund_id
        """,
    ),
    Posting(
        ("payment_denied",),
        # The id of an entry ends with the sum taken back so far; the entry books the increase of that sum.
        f"""
        {_steps("payment_denied", "denied", "posted")}
        UNION ALL
        -- In earlier releases a chargeback took all of a payment, from the books that had it.
        SELECT e.account_id, e.entry_id, 'payment_denied', b.subject, e.posted_at, s.books,
               s.amounts
        FROM {{chargebacks}} b JOIN {{captures}} c USING (account_id, attempt_id, payment)
        JOIN {{entries?}} e ON e.account_id = b.account_id AND e.subject = b.subject
            AND e.entry_id = 'denied:' || b.attempt_id || ':' || b.payment
        JOIN LATERAL (
            SELECT array_agg(l.book) AS books, array_agg(CASE l.book WHEN 'bank_clearing'
                       THEN c.amount ELSE l.credit - l.debit END) AS amounts
            FROM {{legs?}} l WHERE l.account_id = e.account_id AND l.entry_id = e.entry_id
                AND l.book NOT IN ('stamps_affixed', 'suspense')) s ON true
        """,
    ),
    Posting(
        ("payment_given_back",),
        _steps("payment_given_back", "given_back", "returned_posted"),
    ),
    Posting(
        ("chargeback_won",),
        _steps("chargeback_won", "won", "won", "buyer_funds", "-"),
    ),
    Posting(
        ("refund_reversed",),
        """
        SELECT account_id, entry_id, 'refund_reversed', order_id, posted_at,
               ARRAY[CASE way WHEN 'transfer' THEN 'refund_float' ELSE 'bank_clearing' END, 'buyer_funds'],
               ARRAY[-grown, grown]
        FROM (
            SELECT r.account_id, e.entry_id, r.order_id, r.way, e.posted_at, u.upto <= r.reversed AS is_within,
                   u.upto - coalesce(lag(u.upto)
                       OVER (PARTITION BY r.account_id, r.refund_id ORDER BY u.upto), 0) AS grown
            FROM {refunds} r JOIN {entries?} e ON e.account_id = r.account_id
                AND e.subject = r.order_id AND e.reason = 'refund_reversed'
                AND e.entry_id ~ ('^reversed:' || r.refund_id || ':[0-9]{1,18}$')
            CROSS JOIN LATERAL (SELECT split_part(e.entry_id, ':', 3)::bigint AS upto) u
        ) steps
        WHERE is_within
        """,
    ),
    Posting(
        ("loss_recovered",),
        # A recovered part of a loss: from unassigned money, or from stamps given back.
        """
        SELECT e.account_id, e.entry_id, 'loss_recovered', o.order_id, e.posted_at,
               ARRAY['denied_loss', 'buyer_funds', 'duty_payable', 'service_fee',
                     coalesce(l.book, 'stamps_available'), 'stamps_issued'],
               ARRAY[f.found, CASE WHEN f.is_undone THEN f.stamps * f.unit - f.found
                              ELSE -f.found END,
                     CASE WHEN f.is_undone THEN -f.stamps * o.unit_price ELSE 0 END,
                     CASE WHEN f.is_undone THEN -f.stamps * o.service_fee ELSE 0 END,
                     -f.stamps, f.stamps]
        FROM {entries} e
        JOIN {orders} o ON o.account_id = e.account_id AND o.order_id = e.subject
        LEFT JOIN {stamp_lots} l ON l.account_id = e.account_id AND l.lot_id = e.subject
        JOIN LATERAL (
            SELECT coalesce(sum(x.credit) FILTER (WHERE x.book = 'denied_loss'), 0)::bigint
                       AS found,
                   coalesce(sum(x.credit) FILTER (WHERE x.book = 'stamps_issued'), 0)::bigint
                       AS stamps,
                   o.unit_price + o.service_fee AS unit,
                   l.book = 'stamps_available' AND bool_or(x.book = 'stamps_issued')
                       -- In earlier releases the money of the account covered the loss: see `correction`.
                       AND NOT (starts_with(e.entry_id, 'recovered:not_stamped:')
                                OR starts_with(e.entry_id, 'recovered:asked:')) AS is_undone
            FROM {legs?} x WHERE x.account_id = e.account_id AND x.entry_id = e.entry_id
        ) f ON f.found > 0 AND (f.stamps = 0 OR f.found <= f.stamps * f.unit)
        WHERE e.reason = 'loss_recovered' AND (
            starts_with(e.entry_id, 'recovered:not_stamped:')
            OR starts_with(e.entry_id, 'recovered:asked:')
            OR EXISTS (SELECT 1 FROM {chargebacks} b WHERE b.account_id = e.account_id
                AND b.subject = e.subject AND starts_with(e.entry_id,
                    'recovered:' || b.attempt_id || ':' || b.payment || ':')))
        """,
    ),
    Posting(
        ("correction",),
        # Earlier versions recovered a stamp bought as quota from buyer_funds; a migration posted this correction.
        """
        SELECT k.account_id, k.entry_id, 'correction', e.subject, k.posted_at,
               ARRAY['buyer_funds', 'duty_payable', 'service_fee'],
               ARRAY[f.debit, -s.debit * o.unit_price, -s.debit * o.service_fee]
        FROM {entries} e
        JOIN {entries?} k ON k.account_id = e.account_id AND k.entry_id = 'corrected:' || e.entry_id
        JOIN {legs?} f ON f.account_id = e.account_id AND f.entry_id = e.entry_id
            AND f.book = 'buyer_funds'
        JOIN {legs?} s ON s.account_id = e.account_id AND s.entry_id = e.entry_id
            AND s.book = 'stamps_available'
        JOIN {orders} o ON o.account_id = e.account_id AND o.order_id = e.subject
        WHERE e.reason = 'loss_recovered'
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'refund_requested:' || refund_id, 'refund_requested', NULL, requested_at, refund_id::text
        FROM {refunds*} r WHERE first_id IS NULL
        """,
        ("refund_requested",),
        "refund",
    ),
    MailCause(
        """
        SELECT account_id, 'refund_settled:' || refund_id, 'refund_settled', NULL, settled_at, refund_id::text
        FROM {refunds*} r WHERE state = 'settled'
        """,
        ("refund_settled",),
        "refund",
    ),
    MailCause(
        """
        SELECT account_id, 'account_wanted:' || link_id, 'account_wanted', NULL, made_at, NULL FROM {claim_links*} l
        """,
    ),
    MailCause(
        """
        SELECT account_id, action || ':' || subject, action, NULL, happened_at, NULL
        FROM {audit_events*} e WHERE action IN ('account_named', 'account_held', 'account_declined')
        """,
    ),
    MailCause(
        """
        SELECT account_id, 'payment_taken_back:' || attempt_id || ':' || payment, 'payment_taken_back',
            NULL, NULL::timestamptz, NULL
        FROM {chargebacks*} b
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "claim_link_is_used_once",
        "The use of a claim link names an account at the time when the link ended, and no link "
        "ended before it was made.",
        """
        SELECT l.account_id, l.link_id, l.state, l.made_at, l.ended_at FROM {claim_links*} l
        WHERE l.ended_at < l.made_at OR (l.state = 'open') <> (l.ended_at IS NULL)
            OR l.state NOT IN ('open', 'used', 'spent')
            OR (l.state = 'used' AND NOT EXISTS (SELECT 1 FROM {audit_events*} e
                WHERE e.account_id = l.account_id AND e.action = 'account_named' AND e.happened_at = l.ended_at))
        """,
    ),
    Invariant(
        "account_was_named_by_its_buyer",
        "An account named according to the audit trail is stored as the buyer's payee, and the "
        "claim that led to it has the state `named`.",
        """
        SELECT e.account_id, e.subject, p.payee_id, c.state
        FROM {audit_events*} e
        LEFT JOIN {payees*} p ON p.account_id = e.account_id AND p.named_at = e.happened_at
        LEFT JOIN {account_claims*} c ON c.account_id = e.account_id
            AND 'clm_' || lower(compact(c.claim_id)) = e.subject
        WHERE e.action = 'account_named' AND (p.payee_id IS NULL OR c.state <> 'named')
        UNION ALL
        SELECT c.account_id, 'clm_' || lower(compact(c.claim_id)), NULL, c.state FROM {account_claims*} c
        WHERE c.state NOT IN ('asked', 'unanswered', 'unknown', 'near', 'other', 'held', 'named', 'declined', 'over')
            OR (c.state = 'named' AND NOT EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = c.account_id
                AND e.action = 'account_named' AND e.subject = 'clm_' || lower(compact(c.claim_id))))
        """,
    ),
    Invariant(
        "refund_key_stands_for_what_was_asked",
        "An Idempotency-Key of a refund belongs to a refund that was requested, of the order in "
        "the request.",
        """
        SELECT k.account_id, k.idempotency_key, k.refund_id FROM {refund_keys*} k
        LEFT JOIN {refunds?} r ON r.account_id = k.account_id AND r.refund_id = k.refund_id
            AND r.cause = 'asked'
        WHERE r.refund_id IS NULL OR sha256(uuid_send(r.order_id)) <> k.request_hash
        """,
    ),
    Invariant(
        "captured_is_executed_refunded_or_in_flight",
        "captured (+ compensation) = executed + refunded + in flight (+ our loss), computed from "
        "payments, lots, refunds and balances, not from the book entries.",
        """
        SELECT * FROM (SELECT
            (SELECT coalesce(sum(amount), 0) FROM captures WHERE learned_by <> 'denial')
                - (SELECT coalesce(sum(posted - won), 0) FROM chargebacks) AS captured,
            (SELECT coalesce(sum(CASE book WHEN 'stamps_available' THEN issued - returned
                                 ELSE affixed END * (unit_price + service_fee)), 0)
             FROM stamp_lots) + (SELECT coalesce(sum(added - withdrawn), 0) FROM order_deposits) AS executed,
            (SELECT coalesce(sum(amount - reversed), 0) FROM refunds WHERE state = 'settled')
                + (SELECT coalesce(sum(returned_posted), 0) FROM chargebacks)
                + (SELECT coalesce(sum(lost), 0) FROM transfers WHERE state = 'settled')
                + (SELECT coalesce(sum(c.amount), 0) FROM compensations c JOIN transfers t USING (account_id, transfer_id)
                   WHERE t.state = 'settled') AS refunded,
            (SELECT coalesce(sum(amount), 0) FROM compensations) AS compensation,
            (SELECT coalesce(sum(posted), 0) FROM balances
             WHERE book IN ('buyer_funds', 'refunds_payable')) AS in_flight,
            (SELECT coalesce(sum(debit - credit), 0) FROM legs
             WHERE book = 'denied_loss') AS loss) AS sums
        WHERE captured + compensation + loss <> executed + refunded + in_flight
        """,
    ),
    Invariant(
        "books_of_an_order_are_what_happened_to_it",
        "For every order: bank clearing is payments less chargebacks less settled refunds, "
        "refunds payable are its open refunds, buyer funds are money neither used nor refunded, "
        "and duty and fee are those of its executed stamps.",
        f"""
        SELECT account_id, order_id, book, sum(due) AS due, sum(posted) AS posted FROM (
            SELECT e.account_id, e.subject AS order_id, l.book, 0 AS due,
                   l.credit - l.debit AS posted
            FROM {{entries}} e JOIN {{legs?}} l USING (account_id, entry_id)
            WHERE l.book IN ('bank_clearing', 'buyer_funds', 'refunds_payable', 'duty_payable',
                             'service_fee', 'stamps_issued', 'denied_loss', 'refund_float', 'compensation', 'deposits')
                AND e.reason NOT IN ('duty_paid_out', 'deposit_taken', 'deposit_returned', 'credit_drawn',
                    'credit_returned', 'collector_deposited', 'fee_passed_on', 'fee_called_back', 'fee_earned', 'fee_returned',
                    'fee_collected')
            UNION ALL
            SELECT t.account_id, t.order_id, side.book, side.amount, 0
            FROM ({_TAKEN}) t, unnest(ARRAY['bank_clearing', 'buyer_funds', 'denied_loss'],
                ARRAY[t.posted + t.returned_posted - t.amount, t.rest, -t.lost]) AS side (book, amount)
            UNION ALL
            SELECT account_id, order_id, CASE WHEN state <> 'settled' THEN 'refunds_payable'
                WHEN way = 'transfer' THEN 'refund_float' ELSE 'bank_clearing' END, amount - reversed, 0
            FROM {{refunds}} r WHERE refund_counts(state)
            UNION ALL
            SELECT c.account_id, r.order_id, side.book, side.amount, 0
            FROM {{compensations}} c JOIN {{refunds}} r USING (account_id, refund_id)
            LEFT JOIN transfers t ON t.account_id = c.account_id AND t.transfer_id = c.transfer_id,
            unnest(ARRAY['compensation', CASE t.state WHEN 'settled' THEN 'refund_float' ELSE 'refunds_payable' END],
                ARRAY[-c.amount, c.amount]) AS side (book, amount)
            UNION ALL
            SELECT t.account_id, t.transfer_id, side.book, side.amount, 0
            FROM {{transfers}} t, unnest(ARRAY['denied_loss', 'refund_float'], ARRAY[-t.lost, t.lost])
                AS side (book, amount)
            WHERE t.state = 'settled' AND t.lost > 0
            UNION ALL
            SELECT i.account_id, i.item_id,
                   CASE WHEN i.booked > 0 THEN 'bank_clearing' ELSE break_account(i.item_key) END,
                   CASE WHEN i.booked > 0 THEN -i.booked ELSE -i.difference END, 0
            FROM {{suspense_items}} i
            WHERE CASE WHEN i.booked > 0 THEN i.state = 'open' OR i.resolution = 'written_off'
                  ELSE break_book(i.reason, i.resolution) IS NOT NULL END
            UNION ALL
            SELECT o.account_id, o.order_id, 'buyer_funds', o.total, 0 FROM {{orders}} o
            WHERE o.state = 'paid' AND NOT EXISTS (SELECT 1 FROM {{stamp_lots?}} l
                WHERE l.account_id = o.account_id AND l.lot_id = o.order_id)
            UNION ALL
            SELECT account_id, order_id, 'deposits', added - withdrawn, 0 FROM {{order_deposits}} d
            UNION ALL
            SELECT l.account_id, l.lot_id, side.book, side.amount, 0
            FROM {{stamp_lots}} l
            CROSS JOIN LATERAL (SELECT CASE l.book WHEN 'stamps_ordered' THEN l.affixed
                                       ELSE l.issued - l.returned END AS executed) x,
            unnest(ARRAY['duty_payable', 'service_fee', 'buyer_funds', 'stamps_issued'],
                ARRAY[x.executed * l.unit_price, x.executed * l.service_fee,
                      CASE l.book WHEN 'stamps_ordered'
                          THEN (l.issued - l.affixed - l.returned)
                               * (l.unit_price + l.service_fee)
                          ELSE 0 END,
                      l.returned - l.issued]) AS side (book, amount)
        ) sides
        GROUP BY account_id, order_id, book HAVING sum(due) <> sum(posted)
        """,
    ),
    Invariant(
        "no_money_lies_about",
        "Money of a payment that neither its order nor a refund has taken has a job that moves "
        "it, a chargeback has its entry or its job, and no payment is refunded beyond its amount.",
        f"""
        SELECT t.account_id, t.order_id, t.attempt_id, t.payment, t.amount, t.rest, t.taken_back,
               t.posted, t.returned, t.returned_posted, t.lost, t.denied_at
        FROM ({_TAKEN}) t
        CROSS JOIN LATERAL (
            SELECT array_agg(j.kind) AS kinds FROM jobs j WHERE j.account_id = t.account_id
            AND j.kind IN ('payment_captured', 'money_to_return', 'payment_denied', 'payment_moved')
            AND j.facts->>'payment' = t.payment AND j.facts->>'attempt' = t.attempt_id::text
        ) j
        WHERE t.rest < 0 OR (t.rest > 0 AND j.kinds IS NULL
                AND NOT {waits("t", ["stamps_gone"], "order", "t.order_id")})
            OR t.posted > t.taken_back OR t.lost > t.posted + t.returned_posted + t.amount
            OR t.returned_posted > t.returned OR t.returned > t.amount
            OR (t.returned_posted < t.returned
                AND NOT coalesce(j.kinds && ARRAY['payment_captured'], false))
            OR (t.posted < t.taken_back
                AND NOT coalesce(j.kinds && ARRAY['payment_captured', 'payment_denied'], false))
            OR (t.denied_at IS NOT NULL AND t.taken_back < t.amount)
            OR (t.denied_at IS NULL AND t.taken_back = t.amount AND t.posted = t.amount)
        """,
    ),
    Invariant(
        "chargeback_is_what_was_told_and_booked",
        "Every amount charged back, or refunded by the provider on its side, belongs to an "
        "attempt and its order, and was found as often as the books say.",
        """
        SELECT b.account_id, b.attempt_id, b.payment, b.subject, b.taken_back, b.posted, b.lost,
               b.findings
        FROM {chargebacks} b LEFT JOIN {payment_attempts} a USING (account_id, attempt_id)
        LEFT JOIN {captures} c USING (account_id, attempt_id, payment)
        WHERE a.subject IS DISTINCT FROM b.subject OR b.last_told_at < b.first_told_at
            OR (c.amount IS NULL AND (b.posted > 0 OR b.lost > 0 OR b.returned > 0))
            OR b.posted < 0 OR b.lost < 0 OR b.returned_posted < 0
            OR (b.look_at < 'infinity' AND b.look_at > now() + interval '2 hours')
            OR b.findings <> (SELECT count(*) FROM {entries?} e
                WHERE e.account_id = b.account_id AND e.subject = b.subject
                AND starts_with(e.entry_id,
                    'recovered:' || b.attempt_id || ':' || b.payment || ':'))
        """,
    ),
    Invariant(
        "money_in_flight_is_explained",
        "The refunds payable of an account are its open refunds and compensations.",
        """
        SELECT account_id, sum(posted) AS posted, sum(refunds) AS refunds FROM (
            SELECT account_id, posted, 0 AS refunds FROM {balances*} b
            WHERE book = 'refunds_payable'
            UNION ALL
            SELECT account_id, 0, amount FROM {refunds*} r WHERE refund_is_open(state)
            UNION ALL
            SELECT c.account_id, 0, c.amount FROM {compensations*} c LEFT JOIN transfers t
                ON t.account_id = c.account_id AND t.transfer_id = c.transfer_id
            WHERE t.state IS DISTINCT FROM 'settled'
        ) sides
        GROUP BY account_id HAVING sum(posted) <> sum(refunds)
        """,
    ),
    Invariant(
        "refund_is_of_its_cause",
        "Every refund belongs to a payment of its own order, has the amount of its cause, exists "
        "once per cause, and has a number that names it.",
        """
        SELECT r.account_id, r.refund_id, r.order_id, r.cause, r.cause_key, r.amount, r.stamps,
               r.refund_no
        FROM {refunds} r
        LEFT JOIN {payment_attempts} a ON a.account_id = r.account_id
            AND a.attempt_id = r.attempt_id
        LEFT JOIN {captures} c ON c.account_id = r.account_id AND c.attempt_id = r.attempt_id
            AND c.payment = r.payment AND c.learned_by <> 'denial'
        LEFT JOIN {orders} o ON o.account_id = r.account_id AND o.order_id = r.order_id
        LEFT JOIN {stamp_lots} l ON l.account_id = r.account_id AND l.lot_id = r.order_id
        LEFT JOIN {chargebacks} b ON b.account_id = r.account_id AND b.attempt_id = r.attempt_id
            AND b.payment = r.payment
        -- A stopped refund leaves the part that the payer's bank had not given the buyer; a rerouted one leaves all.
        LEFT JOIN {refunds} w ON w.account_id = r.account_id AND w.attempt_id = r.attempt_id
            AND w.payment = r.payment AND w.cause = r.cause AND r.cause_key =
                CASE WHEN w.amount > r.amount THEN 'rest:' WHEN w.amount = r.amount THEN 'rerouted:' END || w.refund_id
        CROSS JOIN LATERAL (SELECT
            coalesce(o.paid_attempt = r.attempt_id AND o.paid_payment = r.payment, false)
                AS is_payer,
            r.cause || ':' || r.attempt_id || ':' || r.payment AS of_payment,
            o.unit_price + o.service_fee AS unit,
            c.amount - CASE r.cause WHEN 'excess' THEN o.total ELSE 0 END AS surplus) x
        -- The rest of a payment that the payer's bank took back in part.
        CROSS JOIN LATERAL (SELECT CASE WHEN b.payment IS NULL THEN r.amount = x.surplus
            ELSE r.amount <= x.surplus END AND r.stamps = 0 AND r.cause_key = x.of_payment
            AS is_surplus) y
        WHERE a.subject IS DISTINCT FROM r.order_id OR c.amount IS NULL OR o.order_id IS NULL
            OR r.refund_no <> 'RF' || compact(r.account_id) || compact(r.refund_id)
            OR NOT coalesce(CASE WHEN w.refund_id IS NOT NULL THEN r.stamps = 0 ELSE CASE r.cause
                WHEN 'short' THEN NOT x.is_payer AND y.is_surplus
                    AND (c.amount < o.total OR b.payment IS NOT NULL)
                WHEN 'excess' THEN x.is_payer AND y.is_surplus
                WHEN 'double' THEN NOT x.is_payer AND y.is_surplus AND o.paid_at IS NOT NULL
                WHEN 'late' THEN NOT x.is_payer AND y.is_surplus
                    AND o.state IN ('withdrawn', 'denied')
                WHEN 'restored' THEN r.stamps = 0 AND r.amount <= c.amount
                    AND EXISTS (SELECT 1 FROM {entries?} e WHERE e.account_id = r.account_id
                        AND e.entry_id = r.cause_key AND e.subject = r.order_id
                        AND e.reason IN ('chargeback_won', 'refund_reversed'))
                WHEN 'remainder' THEN x.is_payer AND b.payment IS NOT NULL AND r.stamps = 0
                    AND r.amount < o.total AND starts_with(r.cause_key || ':', x.of_payment || ':')
                WHEN 'deposit' THEN x.is_payer AND o.kind = 'deposit' AND r.stamps = 0
                    AND r.cause_key = 'deposit:' || r.refund_id
                WHEN 'not_executed' THEN x.is_payer AND r.amount = o.total AND r.stamps = 0
                    AND l.lot_id IS NULL AND r.cause_key = 'not_executed:' || r.order_id
                WHEN 'not_stamped' THEN x.is_payer AND r.stamps BETWEEN 1 AND l.returned
                    AND r.amount = r.stamps * x.unit
                    AND EXISTS (SELECT 1 FROM {stampings?} s WHERE s.account_id = r.account_id
                        AND s.order_id = r.order_id AND s.state = 'failed'
                        AND r.cause_key = 'not_stamped:' || s.stamping_id)
                WHEN 'asked' THEN x.is_payer AND r.stamps BETWEEN 1 AND l.returned
                    AND r.amount = r.stamps * x.unit
                    AND r.cause_key = 'asked:' || r.refund_id
                END END, false)
        """,
    ),
    Invariant(
        "asked_refund_is_in_the_trail",
        "Every requested refund has its line in the audit trail, and every such line has its "
        "refund.",
        """
        SELECT account_id, r.refund_id, subject, e.event_id FROM (
            SELECT account_id, refund_id, 'ord_' || lower(compact(order_id)) AS subject, requested_at AS happened_at,
                   stamps::text AS stamps
            FROM {refunds*} x WHERE starts_with(cause_key, 'asked:')) r
        FULL JOIN (
            SELECT account_id, event_id, subject, happened_at, facts->>'stamps' AS stamps
            FROM {audit_events*} y WHERE action = 'refund_asked') e USING (account_id, subject, happened_at, stamps)
        WHERE r.refund_id IS NULL OR e.event_id IS NULL
        """,
    ),
    Invariant(
        "returned_stamps_are_explained",
        "Every retired stamp of a lot was retired by a refund or a chargeback.",
        """
        SELECT account_id, lot_id, sum(returned) AS returned, sum(explained) AS explained FROM (
            SELECT account_id, lot_id, returned, 0 AS explained FROM {stamp_lots} l
            UNION ALL
            SELECT account_id, order_id, 0, stamps FROM {refunds} r
            UNION ALL
            SELECT e.account_id, e.subject, 0, i.credit FROM {entries} e
            JOIN {legs?} i USING (account_id, entry_id)
            WHERE e.reason IN ('payment_denied', 'loss_recovered', 'stamps_recovered')
                AND i.book = 'stamps_issued'
        ) sides
        GROUP BY account_id, lot_id HAVING sum(returned) <> sum(explained)
        """,
    ),
    Invariant(
        "order_stands_where_its_refunds_do",
        "An order is returning while a refund of all of it is open, returned when that has "
        "ended, and neither without such a refund; unused stamps of ended documents are being "
        "refunded.",
        f"""
        SELECT o.account_id, o.order_id, o.state, l.issued, l.returned, r.open, r.causes
        FROM {{orders}} o
        LEFT JOIN {{stamp_lots}} l ON l.account_id = o.account_id AND l.lot_id = o.order_id
        LEFT JOIN {{order_deposits}} d ON d.account_id = o.account_id AND d.order_id = o.order_id
        LEFT JOIN LATERAL (
            SELECT count(*) FILTER (WHERE refund_is_open(x.state)) AS open,
                   max(x.due_at) FILTER (WHERE refund_is_open(x.state)) AS due_at,
                   count(*) FILTER (WHERE refund_is_open(x.state) AND x.cause NOT IN {_SURPLUS})
                       AS of_order,
                   array_agg(x.cause) AS causes
            FROM {{refunds?}} x WHERE x.account_id = o.account_id AND x.order_id = o.order_id
        ) r ON true
        LEFT JOIN {{chargebacks?}} b ON b.account_id = o.account_id
            AND b.attempt_id = o.paid_attempt AND b.payment = o.paid_payment
        CROSS JOIN LATERAL (SELECT
            CASE WHEN d.order_id IS NOT NULL THEN d.added = d.withdrawn
                 WHEN l.lot_id IS NULL THEN coalesce(r.causes && ARRAY['not_executed', 'restored'], false)
                     OR (o.state IN ('returning', 'returned')
                         AND coalesce(b.returned_posted > 0, false))
                 ELSE l.issued = l.returned END AS is_undone,
            coalesce(r.causes && ARRAY['not_executed', 'not_stamped', 'asked', 'deposit'], false)
                AS is_executable,
            {waits("o", ["payment_captured", "payment_denied", "payment_moved"], "subject", "o.order_id")}
                AS is_moving) x
        WHERE (o.state = 'returning' AND NOT (x.is_undone AND (r.open > 0
                OR {waits("o", ["money_to_return"], "order", "o.order_id")}
                OR x.is_moving)))
            OR (o.returning_due_at IS DISTINCT FROM r.due_at AND NOT x.is_moving)
            OR (o.state = 'returned' AND (NOT x.is_undone OR (r.of_order > 0 AND NOT x.is_moving)))
            OR (o.state IN ('paid', 'executed') AND x.is_undone)
            OR (o.state IN ('placed', 'lapsed', 'withdrawn') AND x.is_executable)
            OR (o.kind = 'documents' AND l.issued > l.held + l.affixed + l.returned
                AND NOT {waits("o", ["order_paid", "stamping_failed"], "order", "o.order_id")}
                AND NOT EXISTS (SELECT 1 FROM {{stampings?}} s
                    WHERE s.account_id = o.account_id AND s.order_id = o.order_id
                    AND s.state = 'waiting'))
            OR (o.state = 'denied' AND o.kind = 'stamps'
                AND l.issued > l.held + l.affixed + l.returned)
        """,
    ),
    Invariant(
        "refund_times_are_possible",
        "A refund is later than its payment, is due within the promised time, is retried within "
        "minutes, and its state agrees with its tries and its payment.",
        f"""
        SELECT r.account_id, r.refund_id, r.state, r.tries, r.requested_at, r.due_at, r.try_at,
               r.settled_at, c.captured_at, c.denied_at
        FROM {{refunds}} r JOIN {{captures}} c USING (account_id, attempt_id, payment)
        JOIN {{orders}} o ON o.account_id = r.account_id AND o.order_id = r.order_id
        WHERE r.requested_at < c.captured_at OR r.requested_at > now() + {AHEAD}
            OR (r.due_at < r.requested_at - {AHEAD} AND r.first_id IS NULL)
            OR r.due_at > r.requested_at + greatest(interval '1 day',
                                                    make_interval(secs => o.due_seconds))
            OR r.settled_at < r.requested_at OR r.settled_at > now() + {AHEAD}
            OR (refund_is_open(r.state) AND r.way = 'provider' AND r.try_at > now() + {AHEAD})
            OR r.look_at > now() + interval '8 days'
            OR r.tries < 0 OR (r.state = 'requested' AND r.tries > 0 AND r.transfer_id IS NULL)
            OR (r.state IN ('sent', 'accepted', 'refused', 'rerouted') AND r.tries = 0)
            OR (r.state = 'settled' AND r.tries = 0 AND NOT EXISTS (SELECT 1 FROM {{entries?}} v
                WHERE v.account_id = r.account_id AND v.entry_id = 'void:' || r.refund_id))
            OR (r.state = 'void' AND NOT EXISTS (SELECT 1 FROM {{chargebacks}} b
                WHERE b.account_id = r.account_id AND b.attempt_id = r.attempt_id
                    AND b.payment = r.payment AND b.posted + b.returned_posted > 0)
                -- Or a refund of the same payment by another way was settled after all.
                AND NOT EXISTS (SELECT 1 FROM {{entries?}} e JOIN {{refunds?}} x ON x.account_id = r.account_id
                    AND x.attempt_id = r.attempt_id AND x.payment = r.payment AND x.state = 'settled'
                    WHERE e.account_id = r.account_id AND e.entry_id = 'rerouted:' || x.refund_id))
            OR (r.state = 'requested' AND c.denied_at < now() - {LATE})
            OR (r.state = 'settled') <> (r.settled_at IS NOT NULL)
            OR (r.state = 'settled') <> (r.provider_refund_no IS NOT NULL)
        """,
    ),
    Invariant(
        "news_of_money_given_back_ends_in_the_books",
        "A report that one of our payments was refunded is resolved only after the books show "
        "that amount as returned; queries that are due are made.",
        f"""
        SELECT c.account_id, c.attempt_id, c.payment, i.item_id, i.amount
        FROM {{captures}} c JOIN payment_attempts a USING (account_id, attempt_id)
        JOIN suspense_items i ON i.payment = c.payment AND i.reference = a.reference
        WHERE i.reason = 'refunded_there' AND i.state = 'resolved' AND c.learned_by <> 'denial'
            AND i.resolved_at > c.captured_at
            AND refund_not_booked(c.account_id, c.attempt_id, c.payment, i.amount) > 0
        UNION ALL
        SELECT account_id, attempt_id, payment, NULL, returned_told FROM chargebacks
        WHERE look_at < now() - {LATE}
        """,
    ),
    Invariant(
        "provider_refund_counts_once",
        "A refund number of a provider settles one refund only; a transfer may carry several "
        "refunds.",
        """
        SELECT account_id, provider_refund_no, count(*) AS times FROM {refunds*} r
        WHERE provider_refund_no IS NOT NULL AND way = 'provider'
        GROUP BY account_id, provider_refund_no HAVING count(*) > 1
        """,
    ),
    Invariant(
        "no_refund_past_its_due_time_unnoticed",
        "A refund is tried when it is due to be; after its due time it has the last answer of "
        "the provider, and an item in suspense until it ends.",
        f"""
        SELECT r.account_id, r.refund_id, r.state, r.tries, r.due_at, r.try_at, r.last_answer
        FROM refunds r
        LEFT JOIN suspense_items i ON i.item_key = 'refund_overdue:' || r.refund_no
        WHERE CASE WHEN refund_is_open(r.state) THEN r.try_at < now() - {LATE}
                OR (r.due_at < now() AND r.last_answer IS NULL AND r.way = 'provider')
                OR (r.due_at < now() - {LATE} AND i.item_id IS NULL) OR i.state <> 'open'
            ELSE i.state = 'open' END
        """,
    ),
)
