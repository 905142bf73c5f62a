-- Of one payment: what its order has no use for and is not on its way back.  All of a payment that
-- was not settled with its order yet.
CREATE OR REPLACE FUNCTION refund_unassigned(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT c.amount
        - coalesce((SELECT b.posted - b.won + b.returned_posted - b.lost FROM chargebacks b WHERE b.account_id = p_account
                    AND b.attempt_id = p_attempt AND b.payment = p_payment), 0)
        - coalesce((SELECT sum(r.amount - r.reversed)::bigint FROM refunds r WHERE r.account_id = p_account
                    AND r.order_id = p_order AND r.attempt_id = p_attempt
                    AND r.payment = p_payment AND r.state <> 'void'), 0)
        - coalesce((SELECT CASE
                        WHEN l.lot_id IS NOT NULL
                            THEN (l.issued - l.returned) * (l.unit_price + l.service_fee)
                        WHEN o.state = 'paid' THEN o.total
                    END
                    FROM orders o LEFT JOIN stamp_lots l
                        ON l.account_id = o.account_id AND l.lot_id = o.order_id
                    WHERE o.account_id = p_account AND o.order_id = p_order
                        AND o.paid_attempt = p_attempt AND o.paid_payment = p_payment), 0)
    FROM captures c
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
$$;
