-- Book as a loss the money of a payment that the payer's bank took back, or that the provider gave back without our refund.
-- Refunds of the payment that were not sent, or were refused, are stopped to cover the loss.  Only sums that are reported and
-- not posted yet are booked, so that this function may run early, late or twice.  Answers the rupiah of the payment that left
-- in these two ways so far.
-- Public: orders, which covers the rest of a loss from the part of the payment that an order uses.
CREATE OR REPLACE FUNCTION payment_book_loss(p_account uuid, p_attempt uuid, p_payment text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_captured bigint;
    v_back chargebacks;
    v_new bigint;
    v_given bigint;
    v_refund refunds;
BEGIN
    PERFORM payment_lock(p_account, p_attempt);
    SELECT amount INTO v_captured FROM captures WHERE account_id = p_account
        AND attempt_id = p_attempt AND payment = p_payment AND learned_by <> 'denial';
    SELECT * INTO v_back FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF v_captured IS NULL OR v_back.payment IS NULL THEN
        RETURN 0;  -- the payment is not captured yet, or none of it was taken back
    END IF;
    v_new := CASE WHEN v_back.is_whole THEN v_captured ELSE least(v_back.taken_back - v_back.won, v_captured) END
        - (v_back.posted - v_back.won);
    v_given := least(v_back.returned, v_captured) - v_back.returned_posted;
    IF v_new > 0 THEN
        UPDATE chargebacks SET posted = posted + v_new, lost = lost + v_new
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'denied:' || p_attempt || ':' || p_payment || ':' || v_back.posted + v_new,
            'payment_denied', v_back.subject,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_new, -v_new]);
        PERFORM payment_mark_denied(p_account, p_attempt, p_payment);
    END IF;
    IF v_given > 0 THEN
        UPDATE chargebacks SET returned_posted = returned_posted + v_given, lost = lost + v_given
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'given_back:' || p_attempt || ':' || p_payment || ':' || v_back.returned_posted + v_given,
            'payment_given_back', v_back.subject,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_given, -v_given]);
    END IF;
    FOR v_refund IN
        SELECT * FROM refunds WHERE account_id = p_account AND attempt_id = p_attempt
            AND payment = p_payment AND state IN ('requested', 'refused') AND NOT transfer_was_begun(p_account, transfer_id)
            AND EXISTS (SELECT 1 FROM chargebacks b WHERE b.account_id = p_account
                AND b.attempt_id = p_attempt AND b.payment = p_payment AND b.lost > 0)
        ORDER BY refund_id FOR UPDATE
    LOOP
        EXIT WHEN refund_stop(v_refund) = 0;
    END LOOP;
    RETURN (SELECT posted - won + returned_posted FROM chargebacks
            WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment);
END $$;
