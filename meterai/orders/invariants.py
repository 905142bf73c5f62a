"""Invariants of orders."""

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.db.invariants import AHEAD, Invariant, MailCause, Posting, waits

POSTINGS = (
    Posting(
        ("stamps_issued",),
        """
        SELECT o.account_id, 'issued:' || o.order_id, 'stamps_issued', o.order_id, l.issued_at,
               ARRAY['stamps_issued', l.book, 'buyer_funds', 'duty_payable', 'service_fee'],
               ARRAY[-o.quantity, o.quantity] || CASE o.kind
                   WHEN 'documents' THEN ARRAY[0, 0, 0]::bigint[]
                   ELSE ARRAY[-o.total, o.quantity * o.unit_price, o.quantity * o.service_fee]
                   END
        FROM {stamp_lots} l JOIN {orders} o ON o.account_id = l.account_id
            AND o.order_id = l.lot_id
        """,
    ),
    Posting(
        ("deposit_added",),
        """
        SELECT account_id, 'deposited:' || order_id, 'deposit_added', order_id, added_at,
               ARRAY['buyer_funds', 'deposits'], ARRAY[-added, added]
        FROM {order_deposits} d
        """,
    ),
    Posting(
        ("fee_passed_on", "fee_called_back"),
        """
        SELECT f.account_id, 'fee:' || f.order_id || ':' || f.number,
               CASE WHEN f.stamps > 0 THEN 'fee_passed_on' ELSE 'fee_called_back' END, s.seller_id, f.moved_at,
               ARRAY['bank_clearing', 'service_fee'], ARRAY[f.amount, -f.amount]
        FROM {order_fees} f JOIN {order_sellers} s ON s.account_id = f.account_id AND s.order_id = f.order_id
        """,
    ),
    Posting(
        ("deposit_withdrawn",),
        """
        SELECT r.account_id, 'withdrawn:' || r.refund_id, 'deposit_withdrawn', r.order_id, r.requested_at,
               ARRAY['deposits', 'buyer_funds'], ARRAY[-r.amount, r.amount]
        FROM {refunds} r WHERE r.cause = 'deposit' AND starts_with(r.cause_key, 'deposit:')
        """,
    ),
    Posting(
        ("deposit_recovered",),
        # Only as much as the deposit still had: the sum of all withdrawals of a deposit is its `withdrawn`.
        """
        SELECT e.account_id, e.entry_id, 'deposit_recovered', d.order_id, e.posted_at,
               ARRAY['deposits', 'buyer_funds'], ARRAY[-l.debit, l.debit]
        FROM {entries} e JOIN {order_deposits} d ON d.account_id = e.account_id AND d.order_id = e.subject
        JOIN {legs?} l ON l.account_id = e.account_id AND l.entry_id = e.entry_id AND l.book = 'deposits'
        WHERE e.reason = 'deposit_recovered' AND EXISTS (SELECT 1 FROM {chargebacks} b
            WHERE b.account_id = e.account_id AND b.subject = e.subject
                AND starts_with(e.entry_id, 'withdrawn:' || b.attempt_id || ':' || b.payment || ':'))
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'order_executed:' || order_id, 'order_executed_' || kind, NULL,
               CASE state WHEN 'executed' THEN closed_at END, order_id::text
        FROM {orders*} o WHERE state NOT IN ('placed', 'lapsed', 'withdrawn')
        """,
        ("order_executed",),
        "order",
    ),
)

INVARIANTS = (
    Invariant(
        "orders_issue_what_was_paid",
        "A lot has the quantity, price and kind of its order; an order with a lot was paid, and "
        "an executed order has a lot.",
        """
        SELECT account_id, order_id, o.state, o.kind, o.quantity, l.issued, l.book
        FROM {orders} o FULL JOIN (SELECT *, lot_id AS order_id FROM {stamp_lots} x) l
            USING (account_id, order_id)
        WHERE o.state IS NULL OR (l.lot_id IS NOT NULL AND (
                l.issued <> o.quantity OR l.unit_price <> o.unit_price
                OR l.service_fee <> o.service_fee OR l.issued_at < o.paid_at
                OR l.book <> CASE o.kind WHEN 'stamps' THEN 'stamps_available'
                             ELSE 'stamps_ordered' END
                OR o.state IN ('placed', 'lapsed', 'withdrawn')
                OR (o.state = 'paid' AND o.kind = 'stamps')))
            OR (l.lot_id IS NULL AND o.state = 'executed' AND o.kind <> 'deposit')
        """,
    ),
    Invariant(
        "deposit_is_what_its_order_paid",
        "An executed order of a deposit added its total to the deposit; the amounts withdrawn "
        "from it equal the refunds and chargebacks of the order.",
        """
        SELECT o.account_id, o.order_id, o.state, o.total, d.added, d.withdrawn, x.gone FROM {orders} o
        LEFT JOIN {order_deposits} d ON d.account_id = o.account_id AND d.order_id = o.order_id
        LEFT JOIN LATERAL (SELECT coalesce(sum(l.debit), 0) AS gone FROM {entries?} e
            JOIN {legs?} l ON l.account_id = e.account_id AND l.entry_id = e.entry_id AND l.book = 'deposits'
            WHERE e.account_id = o.account_id AND e.subject = o.order_id) x ON o.kind = 'deposit'
        WHERE (d.order_id IS NOT NULL) <> (o.kind = 'deposit'
                AND o.state IN ('executed', 'returning', 'returned', 'denied') AND d.order_id IS NOT NULL)
            OR (o.kind = 'deposit' AND o.state IN ('executed', 'paid') AND d.order_id IS NULL)
            OR d.added <> o.total OR d.added_at < o.paid_at OR d.withdrawn <> x.gone
        """,
    ),
    Invariant(
        "order_was_sold_by_a_seller",
        "An order sold by a seller was placed at the time of the sale, and the seller's fee is "
        "part of its fee; no other order has a seller's fee.",
        """
        SELECT s.account_id, s.order_id, s.seller_id, s.fee, o.service_fee FROM {order_sellers} s
        LEFT JOIN {orders?} o ON o.account_id = s.account_id AND o.order_id = s.order_id
        WHERE o.order_id IS NULL OR o.kind = 'deposit' OR s.fee > o.service_fee OR s.sold_at <> o.placed_at
            OR s.seller = '' OR s.seller_id = s.account_id OR coalesce(o.seller_fee, 0) <> s.fee
        UNION ALL
        SELECT o.account_id, o.order_id, NULL, o.seller_fee, o.service_fee FROM {orders} o
        LEFT JOIN {order_sellers?} s ON s.account_id = o.account_id AND s.order_id = o.order_id
        WHERE o.seller_fee IS NOT NULL AND s.order_id IS NULL
        """,
    ),
    Invariant(
        "fee_is_of_stamps_in_the_world",
        "A seller has its fee of an executed order for each stamp of it that is outstanding, and "
        "of any other order for at most those.",
        f"""
        SELECT o.account_id, o.order_id, o.state, o.seller_fee, l.stamps AS in_the_world, f.stamps, f.amount FROM {{orders}} o
        CROSS JOIN LATERAL (SELECT coalesce(sum(issued - returned), 0) AS stamps FROM {{stamp_lots?}} x
            WHERE x.account_id = o.account_id AND x.lot_id = o.order_id) l
        CROSS JOIN LATERAL (SELECT coalesce(sum(stamps), 0) AS stamps, coalesce(sum(amount), 0) AS amount,
                count(*) AS moves, coalesce(max(number), 0) AS number FROM {{order_fees?}} x
            WHERE x.account_id = o.account_id AND x.order_id = o.order_id) f
        WHERE o.seller_fee IS NOT NULL AND (f.amount <> f.stamps * o.seller_fee OR f.moves <> f.number OR f.stamps < 0
            OR (f.stamps <> l.stamps AND o.state = 'executed'
                AND NOT {waits("o", ["stamps_gone"], "order", "o.order_id")})
            OR (f.stamps > l.stamps AND NOT {waits("o", ["stamps_gone"], "order", "o.order_id")}))
        UNION ALL
        SELECT f.account_id, f.order_id, o.state, o.seller_fee, NULL, f.stamps, f.amount FROM {{order_fees}} f
        LEFT JOIN {{orders?}} o ON o.account_id = f.account_id AND o.order_id = f.order_id
        WHERE o.seller_fee IS NULL
        """,
    ),
    Invariant(
        "paid_order_has_its_capture",
        "Every order that counts as paid has a payment of at least its total that was not "
        "charged back in full; an order is charged back only if a payment of it was.",
        f"""
        SELECT o.account_id, o.order_id, o.state, o.total, c.amount, c.denied_at
        FROM {{orders}} o
        LEFT JOIN {{payment_attempts}} a ON a.account_id = o.account_id
            AND a.attempt_id = o.paid_attempt AND a.subject = o.order_id
        LEFT JOIN {{captures}} c ON c.account_id = a.account_id AND c.attempt_id = a.attempt_id
            AND c.payment = o.paid_payment AND c.learned_by <> 'denial'
        WHERE o.paid_at IS NOT NULL AND (
            c.amount IS NULL OR c.amount < o.total OR c.captured_at > o.paid_at
            OR (o.state = 'denied' AND NOT EXISTS (SELECT 1 FROM {{chargebacks}} b
                WHERE b.account_id = o.account_id AND b.attempt_id = o.paid_attempt
                    AND b.payment = o.paid_payment AND b.posted > 0))
            OR (o.state IN ('paid', 'executed') AND c.denied_at IS NOT NULL
                AND NOT {waits("o", ["payment_denied"], "payment", "c.payment")}))
        """,
    ),
    Invariant(
        "lot_owes_what_is_lost",
        "If the money of an order was charged back, stamps of the order are to be retired as "
        "they become free: as many as cover the loss, and no others.",
        f"""
        SELECT l.account_id, l.lot_id, l.owed, b.lost FROM {{stamp_lots}} l
        JOIN {{orders}} o ON o.account_id = l.account_id AND o.order_id = l.lot_id
        LEFT JOIN {{chargebacks}} b ON b.account_id = o.account_id AND b.attempt_id = o.paid_attempt
            AND b.payment = o.paid_payment
        WHERE o.state IN ('paid', 'executed', 'denied') AND l.owed <> (coalesce(b.lost, 0) + l.unit_price + l.service_fee - 1)
                / (l.unit_price + l.service_fee)
            AND NOT {waits("o", ["payment_captured", "payment_denied", "payment_moved"], "subject", "o.order_id")}
            AND NOT {waits("o", ["stamps_gone"], "order", "o.order_id")}
        """,
    ),
    Invariant(
        "attempts_are_of_orders",
        "The amount of every attempt is the total of its order, every order has an attempt, and "
        "an attempt ends when the time to pay the order does.",
        """
        SELECT o.account_id, o.order_id, a.attempt_id, a.subject, a.amount, o.total
        FROM {orders} o FULL JOIN {payment_attempts} a
            ON a.account_id = o.account_id AND a.subject = o.order_id
        WHERE o.order_id IS NULL OR a.attempt_id IS NULL OR a.amount <> o.total
            OR a.opened_at < o.placed_at
            OR (o.pay_until IS NULL AND a.expires_at <> o.lapses_at)
        UNION ALL
        SELECT o.account_id, o.order_id, NULL, NULL, NULL, o.total FROM {orders} o
        WHERE o.pay_until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {payment_attempts} a
            WHERE a.account_id = o.account_id AND a.subject = o.order_id
                AND a.expires_at = o.pay_until)
        """,
    ),
    Invariant(
        "order_times_are_in_order",
        "An order is placed, then paid, then closed; its due time follows from its terms.",
        f"""
        SELECT account_id, order_id, state, placed_at, lapses_at, pay_until, paid_at, due_at, closed_at
        FROM {{orders}} o
        WHERE placed_at > now() + {AHEAD} OR paid_at > now() + {AHEAD}
            OR closed_at > now() + {AHEAD} OR paid_at < placed_at OR closed_at < placed_at
            OR lapses_at <= placed_at OR lapses_at > placed_at + interval '7 days'
            OR pay_until <= placed_at OR pay_until > placed_at + interval '14 days'
            OR due_seconds > 7 * 86400
            OR due_at > paid_at + make_interval(secs => due_seconds)
            OR (state = 'placed') <> (closed_at IS NULL AND paid_at IS NULL)
            OR (state = 'paid' AND closed_at > paid_at)  -- a paid order may have lapsed before
            OR (state IN ('executed', 'returning', 'returned', 'denied')
                AND (closed_at IS NULL OR closed_at < paid_at))
            OR (state IN ('lapsed', 'withdrawn') AND closed_at IS NULL)
        """,
    ),
    Invariant(
        "order_belongs_to_somebody",
        "Every order belongs to an existing account, and its total follows from its terms.",
        """
        SELECT o.account_id, o.order_id, o.total FROM {orders} o
        LEFT JOIN {accounts?} a ON a.account_id = o.account_id
        WHERE a.account_id IS NULL OR o.quantity < 1
            OR o.total <> o.quantity * (o.unit_price + o.service_fee)
        """,
    ),
    Invariant(
        "order_is_sold_at_the_terms_in_force",
        "Every stamp is sold at the duty fixed by law and a fee that was in force; deposits, and "
        "orders that only credit may pay, have no fee of ours. The total of an order is its "
        "quantity times both, that quantity is issued, and it was paid for.",
        f"""
        SELECT o.account_id, o.order_id, o.quantity, o.unit_price, o.service_fee, o.total,
               l.issued, c.amount AS paid, t.since
        FROM {{orders}} o
        LEFT JOIN sale_terms t ON o.kind <> 'deposit' AND t.unit_price = o.unit_price AND t.service_fee = o.service_fee
        LEFT JOIN {{stamp_lots}} l ON l.account_id = o.account_id AND l.lot_id = o.order_id
        LEFT JOIN {{captures}} c ON c.account_id = o.account_id
            AND c.attempt_id = o.paid_attempt AND c.payment = o.paid_payment
        WHERE o.unit_price <> {STAMP_DUTY} OR o.placed_at < t.since - {AHEAD}
            OR (t.since IS NULL AND o.kind <> 'deposit' AND NOT (o.service_fee = 0
                AND coalesce((SELECT bool_and(a.provider = 'credit') FROM {{payment_attempts?}} a
                    WHERE a.account_id = o.account_id AND a.subject = o.order_id), false)))
            OR (o.service_fee <> 0 AND o.kind = 'deposit')
            OR o.total <> o.quantity::bigint * ({STAMP_DUTY} + o.service_fee)
            OR l.unit_price <> o.unit_price OR l.service_fee <> o.service_fee
            OR (l.lot_id IS NOT NULL AND coalesce(l.issued > c.amount
                / ({STAMP_DUTY} + o.service_fee), true))
        UNION ALL
        SELECT NULL, NULL, NULL, t.unit_price, t.service_fee, NULL, NULL, NULL, t.since
        FROM sale_terms t WHERE t.unit_price <> {STAMP_DUTY} OR t.since > now() + {AHEAD}
        """,
    ),
)
