-- The provider has given the money back.  Answers the state of the refund.
CREATE OR REPLACE FUNCTION refund_settle(p_account uuid, p_refund uuid, p_provider_no text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_was text;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    v_was := v_refund.state;
    IF v_was IS NULL OR v_was NOT IN ('sent', 'refused', 'void') THEN
        RETURN v_was;
    END IF;
    UPDATE refunds SET state = 'settled', settled_at = now(), provider_refund_no = p_provider_no,
        look_at = now() + interval '1 hour'
    WHERE account_id = p_account AND refund_id = p_refund;
    PERFORM suspense_refund_ended(v_refund.refund_no, 'settled');
    -- A call that was open while the refund was stopped has been carried out all the same: then
    -- the buyer was paid twice, and what it was stopped for is a loss again.
    PERFORM ledger_post(p_account, 'settled:' || p_refund, 'refund_settled', v_refund.order_id,
        ARRAY[CASE v_was WHEN 'void' THEN 'denied_loss' ELSE 'refunds_payable' END,
              'bank_clearing'],
        ARRAY[-v_refund.amount, v_refund.amount]);
    IF v_was = 'void' THEN
        UPDATE chargebacks SET lost = lost + v_refund.amount
        WHERE account_id = p_account AND attempt_id = v_refund.attempt_id
            AND payment = v_refund.payment;
    END IF;
    PERFORM payment_tell_moved(p_account, v_refund.attempt_id, v_refund.payment, v_refund.order_id);
    PERFORM emit(p_account, 'refund_settled', jsonb_build_object('refund', p_refund));
    RETURN 'settled';
END $$;
