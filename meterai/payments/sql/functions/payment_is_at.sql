-- True if an attempt is at this provider; calls of another provider cannot be about it.
CREATE OR REPLACE FUNCTION payment_is_at(p_provider text, p_account uuid, p_attempt uuid)
RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM payment_attempts WHERE account_id = p_account
                   AND attempt_id = p_attempt AND provider = p_provider);
$$;
