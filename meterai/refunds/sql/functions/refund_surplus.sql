-- Money of a payment that its order has no use for goes back: as much as is left of it, since the
-- issuer may have taken some in between.  Answers how much.
CREATE OR REPLACE FUNCTION refund_surplus(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_order uuid,
    p_attempt uuid, p_payment text, p_amount bigint, p_refund_no text, p_due_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    PERFORM order_lock(p_account, p_order);
    v_amount := least(p_amount,
        coalesce(refund_unassigned(p_account, p_order, p_attempt, p_payment), 0));
    IF v_amount > 0 AND refund_request(p_account, p_refund, p_cause_key, p_cause, p_order,
            p_attempt, p_payment, v_amount, 0, NULL, p_refund_no, p_due_at) THEN
        RETURN v_amount;
    END IF;
    RETURN 0;
END $$;
