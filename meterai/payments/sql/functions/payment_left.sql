-- Rupiah of a payment that its subject does not use and that no refund has.  `p_used`: rupiah of the payment that the subject
-- uses.
-- Public: orders, which calculates how much of a payment an order uses.
CREATE OR REPLACE FUNCTION payment_left(p_account uuid, p_attempt uuid, p_payment text, p_used bigint)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT c.amount - p_used
        - coalesce((SELECT b.posted - b.won + b.returned_posted - b.lost FROM chargebacks b
                    WHERE b.account_id = p_account AND b.attempt_id = p_attempt
                        AND b.payment = p_payment), 0)
        - coalesce((SELECT sum(r.amount - r.reversed)::bigint FROM refunds r
                    WHERE r.account_id = p_account AND r.attempt_id = p_attempt
                        AND r.payment = p_payment AND refund_counts(r.state)), 0)
    FROM captures c
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
$$;
