-- Stop a refund that was sent or refused if money of its payment was lost, so that the buyer already has it.  Answers the
-- state.
CREATE OR REPLACE FUNCTION refund_void(p_account uuid, p_refund uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    IF v_refund.state IS NULL OR v_refund.state NOT IN ('sent', 'accepted', 'refused')
        OR v_refund.way <> 'provider' OR NOT EXISTS (
        SELECT 1 FROM chargebacks WHERE account_id = p_account
            AND attempt_id = v_refund.attempt_id AND payment = v_refund.payment
            AND lost > 0) THEN
        RETURN v_refund.state;
    END IF;
    PERFORM refund_stop(v_refund);
    PERFORM payment_tell_moved(p_account, v_refund.attempt_id, v_refund.payment, v_refund.order_id);
    RETURN 'void';
END $$;
