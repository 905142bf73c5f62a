-- Reroute a refund that its provider refused: its money goes back to its payment, and a new refund with the same cause and due
-- time begins, which waits for a bank account of the buyer.  Answers false if the refund cannot be rerouted.
CREATE OR REPLACE FUNCTION refund_reroute(
    p_account uuid, p_refund uuid, p_new uuid, p_refund_no text
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_now timestamptz := now();
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    IF v_refund.state IS DISTINCT FROM 'refused' OR v_refund.way <> 'provider' OR v_refund.leased_until > v_now THEN
        RETURN false;
    END IF;
    UPDATE refunds SET state = 'rerouted', look_at = v_now + interval '1 hour'
    WHERE account_id = p_account AND refund_id = p_refund;
    PERFORM suspense_refund_ended(v_refund.refund_no, 'rerouted');
    PERFORM ledger_post(p_account, 'rerouted:' || p_refund, 'refund_rerouted', v_refund.order_id,
        ARRAY['refunds_payable', 'buyer_funds'], ARRAY[-v_refund.amount, v_refund.amount]);
    INSERT INTO refunds (account_id, refund_id, cause_key, cause, order_id, attempt_id, payment, amount, refund_no,
                         due_at, way, first_id, try_at, wanted_at, waited_seconds, last_answer)
    VALUES (p_account, p_new, 'rerouted:' || p_refund, v_refund.cause, v_refund.order_id, v_refund.attempt_id,
            v_refund.payment, v_refund.amount, p_refund_no, v_refund.due_at, 'claim',
            coalesce(v_refund.first_id, p_refund), 'infinity', v_now,
            v_refund.waited_seconds, v_refund.last_answer);
    PERFORM ledger_post(p_account, 'refund:' || p_new, 'refund_requested', v_refund.order_id,
        ARRAY['buyer_funds', 'refunds_payable'], ARRAY[-v_refund.amount, v_refund.amount]);
    PERFORM emit(p_account, 'refund_rerouted', jsonb_build_object('refund', p_new, 'way', 'claim'::text));
    PERFORM refund_want_account(p_account, p_new);
    RETURN true;
END $$;
