-- Lock an attempt until the transaction ends.  Order of locks: the subject, the attempt, its payments, their refunds, balances.
CREATE OR REPLACE FUNCTION payment_lock(p_account uuid, p_attempt uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payment_attempts WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
END $$;
