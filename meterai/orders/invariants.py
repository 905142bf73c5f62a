"""What must be true of orders."""

from meterai.kit.money import STAMP_DUTY
from meterai.plumbing.invariants import AHEAD, Invariant, MailCause, Posting, waits

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
        "A lot has the quantity, the price and the kind of its order; who has one was paid, and "
        "who was executed has one.",
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
            OR (l.lot_id IS NULL AND o.state = 'executed')
        """,
    ),
    Invariant(
        "paid_order_has_its_capture",
        "Every order that counts as paid knows a payment of its own, of at least its total, which "
        "the issuer has not taken back whole; it is denied only where the issuer took back.",
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
        "Stamps leave the world as they come free where the money of their order was taken back, as many as cover "
        "the loss, and no others.",
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
        "Every attempt is to be paid the total of an order in its time, and every order has one.",
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
        "An order is placed, paid and closed in this order; its due time is what its terms say.",
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
            OR (state = 'paid' AND closed_at > paid_at)  -- it may have lapsed before
            OR (state IN ('executed', 'returning', 'returned', 'denied')
                AND (closed_at IS NULL OR closed_at < paid_at))
            OR (state IN ('lapsed', 'withdrawn') AND closed_at IS NULL)
        """,
    ),
    Invariant(
        "order_belongs_to_somebody",
        "Every order is of an account that exists, and its total is what its terms say.",
        """
        SELECT o.account_id, o.order_id, o.total FROM {orders} o
        LEFT JOIN {accounts?} a ON a.account_id = o.account_id
        WHERE a.account_id IS NULL OR o.quantity < 1
            OR o.total <> o.quantity * (o.unit_price + o.service_fee)
        """,
    ),
    Invariant(
        "order_is_sold_at_the_terms_in_force",
        "Every stamp is sold at the duty that the law fixes and a fee that was in force: the total of "
        "an order is the number of its stamps times both, and so many stamps are issued and no "
        "more than were paid for.",
        f"""
        SELECT o.account_id, o.order_id, o.quantity, o.unit_price, o.service_fee, o.total,
               l.issued, c.amount AS paid, t.since
        FROM {{orders}} o
        LEFT JOIN sale_terms t ON t.unit_price = o.unit_price AND t.service_fee = o.service_fee
        LEFT JOIN {{stamp_lots}} l ON l.account_id = o.account_id AND l.lot_id = o.order_id
        LEFT JOIN {{captures}} c ON c.account_id = o.account_id
            AND c.attempt_id = o.paid_attempt AND c.payment = o.paid_payment
        WHERE o.unit_price <> {STAMP_DUTY} OR t.since IS NULL OR o.placed_at < t.since - {AHEAD}
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
