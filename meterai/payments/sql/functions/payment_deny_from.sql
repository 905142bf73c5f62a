-- As `payment_deny`, for a notification: only if the attempt is at the provider that sent it.  Since a notification may be old,
-- it takes no captured payment back: nothing is moved, the answer is 'asked', and the provider's answer to a query decides.
CREATE OR REPLACE FUNCTION payment_deny_from(
    p_provider text, p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    IF NOT payment_is_at(p_provider, p_account, p_attempt) THEN
        RETURN 'unknown_attempt';
    END IF;
    -- Waits for a concurrent capture, so that it is found below: otherwise older news would take the payment back.
    PERFORM 1 FROM payment_attempts WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF EXISTS (SELECT 1 FROM captures WHERE account_id = p_account AND attempt_id = p_attempt
               AND payment = coalesce(p_payment, payment) AND learned_by <> 'denial') THEN
        UPDATE payment_attempts SET ask_at = least(ask_at, v_now), ask_rank = 0
        WHERE account_id = p_account AND attempt_id = p_attempt;
        RETURN 'asked';
    END IF;
    RETURN payment_deny(p_account, p_attempt, p_payment, p_amount);
END $$;
