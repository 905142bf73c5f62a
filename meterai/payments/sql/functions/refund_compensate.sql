-- Record the compensation for a whole day that a refund is late, once.  Answers true if it is new.
CREATE OR REPLACE FUNCTION refund_compensate(p_account uuid, p_refund uuid, p_day integer, p_amount bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_first uuid;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    v_first := coalesce(v_refund.first_id, v_refund.refund_id);
    INSERT INTO compensations (account_id, refund_id, day, amount) VALUES (p_account, v_first, p_day, p_amount)
    ON CONFLICT ON CONSTRAINT compensations_pkey DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger_post(p_account, 'compensation:' || v_first || ':' || p_day, 'compensation_due',
        v_refund.order_id, ARRAY['compensation', 'refunds_payable'], ARRAY[-p_amount, p_amount]);
    RETURN true;
END $$;
