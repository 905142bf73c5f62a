"""What must be true of money as a whole."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "captured_is_executed_refunded_or_in_flight",
        "captured = executed + refunded + in flight (+ our loss), counted from payments, lots, "
        "refunds and balances, not from the entries that moved them.",
        """
        SELECT * FROM (SELECT
            (SELECT coalesce(sum(amount), 0) FROM captures WHERE learned_by <> 'denial')
                - (SELECT coalesce(sum(posted), 0) FROM chargebacks) AS captured,
            (SELECT coalesce(sum(CASE book WHEN 'stamps_available' THEN issued - returned
                                 ELSE affixed END * (unit_price + service_fee)), 0)
             FROM stamp_lots) AS executed,
            (SELECT coalesce(sum(amount), 0) FROM refunds WHERE state = 'settled') AS refunded,
            (SELECT coalesce(sum(posted), 0) FROM balances
             WHERE book IN ('buyer_funds', 'refunds_payable')) AS in_flight,
            (SELECT coalesce(sum(debit - credit), 0) FROM legs
             WHERE book = 'denied_loss') AS loss) AS sums
        WHERE captured + loss <> executed + refunded + in_flight
        """,
    ),
    Invariant(
        "money_in_flight_is_explained",
        "What is in flight is unsettled refunds, paid orders and payments still to be settled.",
        """
        SELECT account_id, posted, refunds FROM (
            SELECT b.account_id, b.posted,
                (SELECT coalesce(sum(amount), 0) FROM refunds r
                 WHERE r.account_id = b.account_id
                    AND r.state IN ('requested', 'sent', 'refused')) AS refunds
            FROM balances b WHERE b.book = 'refunds_payable') AS sums
        WHERE posted <> refunds
        """,
    ),
    Invariant(
        "buyer_funds_belong_to_somebody",
        "Money neither executed nor on its way back belongs to a paid order, or a job moves it.",
        """
        SELECT b.account_id, b.posted FROM balances b
        WHERE b.book = 'buyer_funds' AND b.posted <> 0
            AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.account_id = b.account_id
                            AND o.state = 'paid')
            AND NOT EXISTS (SELECT 1 FROM stampings s WHERE s.account_id = b.account_id
                            AND s.state = 'reserved' AND s.order_id IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.account_id = b.account_id
                            AND j.kind IN ('payment_captured', 'money_to_return',
                                           'payment_denied', 'stamping_failed'))
        """,
    ),
    Invariant(
        "no_refund_past_its_due_time_unnoticed",
        "A refund past its due time is being tried and says what the provider answered.",
        """
        SELECT account_id, refund_id, state, tries, due_at, last_answer FROM refunds
        WHERE state IN ('requested', 'sent', 'refused') AND due_at < now()
            AND (last_answer IS NULL OR try_at < now() - interval '10 minutes')
        """,
    ),
)
