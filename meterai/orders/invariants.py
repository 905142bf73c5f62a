"""What must be true of orders."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "orders_issue_what_was_paid",
        "A lot has the quantity and the price of its order, and only paid orders have one.",
        """
        SELECT l.account_id, l.lot_id, l.issued, o.quantity, o.state
        FROM stamp_lots l LEFT JOIN orders o
            ON o.account_id = l.account_id AND o.order_id = l.lot_id
        WHERE o.order_id IS NULL OR l.issued <> o.quantity OR l.unit_price <> o.unit_price
            OR l.service_fee <> o.service_fee
            OR o.state NOT IN ('paid', 'executed', 'returning', 'returned', 'denied')
        """,
    ),
    Invariant(
        "paid_order_has_its_capture",
        "Every order that counts as paid knows a payment of at least its total.",
        """
        SELECT o.account_id, o.order_id, o.total, c.amount
        FROM orders o LEFT JOIN captures c ON c.account_id = o.account_id
            AND c.attempt_id = o.paid_attempt AND c.payment = o.paid_payment
        WHERE o.paid_at IS NOT NULL AND (c.amount IS NULL OR c.amount < o.total)
        """,
    ),
    Invariant(
        "no_paid_order_past_its_due_time",
        "No order is paid, not executed, and more than ten minutes past its due time.",
        """
        SELECT account_id, order_id, due_at FROM orders
        WHERE state = 'paid' AND due_at < now() - interval '10 minutes'
        """,
    ),
)
