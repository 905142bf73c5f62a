-- Lock the attempt of a refund, then the refund: the order in which all callers take these locks.
CREATE OR REPLACE FUNCTION refund_lock(p_account uuid, p_refund uuid) RETURNS refunds
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    PERFORM payment_lock(p_account, r.attempt_id) FROM refunds r
    WHERE r.account_id = p_account AND r.refund_id = p_refund;
    SELECT * INTO v_refund FROM refunds
    WHERE account_id = p_account AND refund_id = p_refund FOR UPDATE;
    RETURN v_refund;
END $$;
