-- Book a provider's record of the refunds of a payment: the sum that the provider gave back without our refund (`p_returned`,
-- so far), and which of our refunds it made.  Our refunds that it has not made, and about which no call is open, are stopped as
-- far as that sum covers them.
CREATE OR REPLACE FUNCTION refund_given_back(
    p_account uuid, p_attempt uuid, p_payment text, p_returned bigint, p_made text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_subject uuid;
    v_captured bigint;
    v_now timestamptz := now();
BEGIN
    SELECT a.subject, c.amount INTO v_subject, v_captured
    FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
    IF NOT FOUND OR p_returned <= 0 THEN
        RETURN;
    END IF;
    PERFORM payment_lock(p_account, p_attempt);
    INSERT INTO chargebacks AS b (account_id, attempt_id, payment, subject, taken_back, returned)
    VALUES (p_account, p_attempt, p_payment, v_subject, 0, least(p_returned, v_captured))
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET returned = excluded.returned, last_told_at = v_now WHERE b.returned < excluded.returned;
    UPDATE refunds SET state = 'refused', last_answer = 'given back by the provider itself'
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
        AND state IN ('sent', 'accepted') AND way = 'provider' AND (leased_until IS NULL OR leased_until <= now())
        AND refund_no <> ALL(p_made)
        AND EXISTS (SELECT 1 FROM chargebacks b WHERE b.account_id = p_account
            AND b.attempt_id = p_attempt AND b.payment = p_payment
            AND (b.returned > b.returned_posted OR b.lost > 0));
    PERFORM payment_book_loss(p_account, p_attempt, p_payment);
    PERFORM payment_tell_moved(p_account, p_attempt, p_payment, v_subject);
END $$;
