-- Mark a capture as wholly taken back, if it was; and its attempt, if all captures of the attempt were.
CREATE OR REPLACE FUNCTION payment_mark_denied(p_account uuid, p_attempt uuid, p_payment text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE captures c SET denied_at = now() FROM chargebacks b
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.denied_at IS NULL AND (b.is_whole OR b.taken_back - b.won >= c.amount)
        AND b.account_id = c.account_id AND b.attempt_id = c.attempt_id AND b.payment = c.payment;
    IF FOUND THEN
        UPDATE payment_attempts SET state = 'denied'
        WHERE account_id = p_account AND attempt_id = p_attempt
            AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.account_id = p_account
                            AND c.attempt_id = p_attempt AND c.denied_at IS NULL);
    END IF;
END $$;
