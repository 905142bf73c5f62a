-- Begin the refund of a payment's money that its order does not use.  Only what is left is refunded, since the payer's
-- bank may have taken back some of it meanwhile.  Returns the amount in rupiah.
-- Public: refunds, which begins the refund.
CREATE OR REPLACE FUNCTION order_return_surplus(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_order uuid,
    p_attempt uuid, p_payment text, p_amount bigint, p_refund_no text, p_due_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    PERFORM order_lock(p_account, p_order);
    v_amount := refund_begin(p_account, p_refund, p_cause_key, p_cause, p_order, p_attempt, p_payment,
        p_amount, 0, order_used(p_account, p_order, p_attempt, p_payment), p_refund_no, p_due_at);
    PERFORM order_finish_refunds(p_account, p_order);
    RETURN v_amount;
END $$;
