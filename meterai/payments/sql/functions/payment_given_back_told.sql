-- Record that news reports a captured payment as given back, in whole or part, so that the provider's record is read.
CREATE OR REPLACE FUNCTION payment_given_back_told(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    INSERT INTO chargebacks AS b (account_id, attempt_id, payment, subject, taken_back,
                                  returned_told, look_at)
    SELECT c.account_id, c.attempt_id, c.payment, a.subject, 0,
           least(coalesce(p_amount, c.amount), c.amount), v_now
    FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial'
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET returned_told = greatest(b.returned_told, excluded.returned_told), look_at = v_now;
END $$;
