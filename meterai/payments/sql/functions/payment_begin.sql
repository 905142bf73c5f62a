-- Record an attempt by a rail and method, before the provider is called.
-- Public: orders, which are placed with an attempt.
CREATE OR REPLACE FUNCTION payment_begin(
    p_account uuid, p_attempt uuid, p_subject uuid, p_provider text, p_method text,
    p_reference text, p_amount bigint, p_expires_at timestamptz, p_lease_seconds double precision
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payment_attempts (account_id, attempt_id, subject, provider, method, reference,
                                  amount, expires_at, leased_until, ask_at)
    VALUES (p_account, p_attempt, p_subject, p_provider, p_method, p_reference, p_amount,
            p_expires_at, now() + make_interval(secs => p_lease_seconds), least(p_expires_at, now() + interval '1 day'));
$$;
