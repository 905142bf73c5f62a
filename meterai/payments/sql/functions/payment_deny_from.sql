-- `payment_deny` of what a provider told us: only of an attempt at this provider.  After a chargeback that was won,
-- news of one may be the old news again, and a payment that the provider's record has is denied by no news:
-- 'contradicts', nothing is moved, and the provider is asked.
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
    IF EXISTS (SELECT 1 FROM chargebacks WHERE account_id = p_account AND attempt_id = p_attempt
               AND payment = coalesce(p_payment, payment) AND won > 0)
        OR EXISTS (SELECT 1 FROM captures WHERE account_id = p_account AND attempt_id = p_attempt
                   AND payment = coalesce(p_payment, payment) AND recorded_at IS NOT NULL) THEN
        UPDATE payment_attempts SET ask_at = least(ask_at, v_now), ask_rank = 0
        WHERE account_id = p_account AND attempt_id = p_attempt;
        RETURN 'contradicts';
    END IF;
    RETURN payment_deny(p_account, p_attempt, p_payment, p_amount);
END $$;
