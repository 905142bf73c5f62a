-- As `payment_begin`, by the first rail; called only by processes of an earlier version.
CREATE OR REPLACE FUNCTION payment_open(
    p_account uuid, p_attempt uuid, p_subject uuid, p_reference text, p_amount bigint,
    p_expires_at timestamptz, p_lease_seconds double precision
) RETURNS void
LANGUAGE sql AS $$
    SELECT payment_begin(p_account, p_attempt, p_subject, 'bank', 'qris', p_reference, p_amount,
                         p_expires_at, p_lease_seconds);
$$;
