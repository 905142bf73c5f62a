-- As `payment_replace_by`, by the same rail; called only by processes of an earlier version.
CREATE OR REPLACE FUNCTION payment_replace(
    p_account uuid, p_lost uuid, p_attempt uuid, p_reference text, p_first_seconds double precision,
    p_attempts_max integer DEFAULT 10
) RETURNS text
LANGUAGE sql AS $$
    SELECT payment_replace_by(p_account, p_lost, p_attempt, provider, method, p_reference,
                              p_first_seconds, p_attempts_max)
    FROM payment_attempts WHERE account_id = p_account AND attempt_id = p_lost;
$$;
