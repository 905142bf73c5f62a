-- Record the wish to be paid, before the provider is asked.  Part of order_place.
-- Public: orders, which are placed with the wish to be paid.
CREATE OR REPLACE FUNCTION payment_open(
    p_account uuid, p_attempt uuid, p_subject uuid, p_reference text, p_amount bigint,
    p_expires_at timestamptz, p_lease_seconds double precision
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount,
                                  expires_at, leased_until, ask_at)
    VALUES (p_account, p_attempt, p_subject, p_reference, p_amount, p_expires_at,
            now() + make_interval(secs => p_lease_seconds), p_expires_at);
$$;
