-- Settle a refund, whose money the buyer has.  Answers the state of the refund.
CREATE OR REPLACE FUNCTION refund_settle(p_account uuid, p_refund uuid, p_provider_no text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_was text;
    v_next timestamptz := now() + interval '1 hour';  -- time at which the refund is looked up in the record
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    v_was := v_refund.state;
    IF v_was IS NULL OR v_was NOT IN ('sent', 'accepted', 'refused', 'void', 'rerouted') THEN
        RETURN v_was;
    END IF;
    UPDATE refunds SET state = 'settled', settled_at = now(), provider_refund_no = p_provider_no,
        look_at = CASE way WHEN 'provider' THEN v_next END
    WHERE account_id = p_account AND refund_id = p_refund;
    PERFORM suspense_refund_ended(v_refund.refund_no, 'settled');
    -- If the refund had been stopped or rerouted, the provider carried out a call that was open then: the buyer was paid twice,
    -- and this sum is a loss.
    PERFORM ledger_post(p_account, 'settled:' || p_refund, 'refund_settled', v_refund.order_id,
        ARRAY[CASE WHEN refund_counts(v_was) THEN 'refunds_payable' ELSE 'denied_loss' END,
              CASE v_refund.way WHEN 'transfer' THEN 'refund_float' ELSE 'bank_clearing' END],
        ARRAY[-v_refund.amount, v_refund.amount]);
    IF NOT refund_counts(v_was) THEN
        INSERT INTO chargebacks AS b (account_id, attempt_id, payment, subject, taken_back, lost)
        VALUES (p_account, v_refund.attempt_id, v_refund.payment, v_refund.order_id, 0, v_refund.amount)
        ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE SET lost = b.lost + excluded.lost;
        -- The loss is covered by the refund that replaced this one, if it was not sent yet.
        PERFORM payment_book_loss(p_account, v_refund.attempt_id, v_refund.payment);
    END IF;
    PERFORM payment_tell_moved(p_account, v_refund.attempt_id, v_refund.payment, v_refund.order_id);
    PERFORM emit(p_account, 'refund_settled', jsonb_build_object('refund', p_refund));
    RETURN 'settled';
END $$;
