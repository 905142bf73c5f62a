-- Rupiah of a payment that its order uses: the value of the order's outstanding stamps, or of its deposit; while the order
-- is paid and has neither yet, its total.
CREATE OR REPLACE FUNCTION order_used(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT coalesce(stamps_worth(p_account, p_order), order_deposit_worth(p_account, p_order),
                                     CASE WHEN state = 'paid' THEN total END)
                     FROM orders WHERE account_id = p_account AND order_id = p_order
                         AND paid_attempt = p_attempt AND paid_payment = p_payment), 0);
$$;
