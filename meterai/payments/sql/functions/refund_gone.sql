-- Rupiah of a payment that have left us according to the books: by our refunds, or given back by the provider without them.
CREATE OR REPLACE FUNCTION refund_gone(p_account uuid, p_attempt uuid, p_payment text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT b.returned_posted FROM chargebacks b WHERE b.account_id = p_account
                     AND b.attempt_id = p_attempt AND b.payment = p_payment), 0)
        + coalesce((SELECT sum(r.amount - r.reversed)::bigint FROM refunds r WHERE r.account_id = p_account
                    AND r.attempt_id = p_attempt AND r.payment = p_payment
                    AND r.state = 'settled'), 0);
$$;
