-- What the issuer took back of a payment, or the provider gave back of its own accord, goes out of the books of its order, and of no other: as a
-- loss at first, of which everything is found again that was not used up.  It takes what was told
-- and is not posted yet, so it may run early, late or twice.  Answers the loss that is left.
-- `p_amount` is from the callers of before; what counts is in `chargebacks`.
CREATE OR REPLACE FUNCTION refund_denied(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_captured bigint;
    v_new bigint;
    v_posted bigint;
    v_lost bigint;
    v_back bigint;
    v_back_posted bigint;
BEGIN
    PERFORM order_lock(p_account, p_order);
    SELECT amount INTO v_captured FROM captures WHERE account_id = p_account
        AND attempt_id = p_attempt AND payment = p_payment AND learned_by <> 'denial';
    SELECT CASE WHEN is_whole THEN v_captured ELSE least(taken_back - won, v_captured) END - (posted - won),
        posted,
        least(returned, v_captured) - returned_posted, returned_posted
    INTO v_new, v_posted, v_back, v_back_posted FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF v_captured IS NULL OR v_new IS NULL THEN
        RETURN 0;  -- the payment itself is still to come
    END IF;
    IF v_new > 0 THEN
        UPDATE chargebacks SET posted = posted + v_new, lost = lost + v_new
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'denied:' || p_attempt || ':' || p_payment || ':' || v_posted + v_new,
            'payment_denied', p_order,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_new, -v_new]);
        PERFORM payment_mark_denied(p_account, p_attempt, p_payment);
    END IF;
    IF v_back > 0 THEN
        UPDATE chargebacks SET returned_posted = returned_posted + v_back, lost = lost + v_back
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'given_back:' || p_attempt || ':' || p_payment || ':' || v_back_posted + v_back,
            'payment_given_back', p_order,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_back, -v_back]);
    END IF;
    v_lost := refund_recover(p_account, p_order, p_attempt, p_payment);
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_lost;
END $$;
