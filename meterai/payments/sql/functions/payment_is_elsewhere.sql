-- True if a payment with this number was captured for another attempt.  Both attempts are then queried at once, except an
-- attempt that is locked.
CREATE OR REPLACE FUNCTION payment_is_elsewhere(p_account uuid, p_attempt uuid, p_payment text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_other captures;
    v_now timestamptz := now();
BEGIN
    SELECT * INTO v_other FROM captures
    WHERE payment = p_payment AND learned_by <> 'denial'
        AND (account_id, attempt_id) <> (p_account, p_attempt)
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE payment_attempts SET ask_at = least(ask_at, v_now)
    WHERE state <> 'opening' AND (account_id, attempt_id) IN (
        SELECT account_id, attempt_id FROM payment_attempts
        WHERE (account_id, attempt_id) IN (
            (p_account, p_attempt), (v_other.account_id, v_other.attempt_id))
        FOR UPDATE SKIP LOCKED);
    RETURN true;
END $$;
