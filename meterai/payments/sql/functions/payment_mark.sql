-- Version tag of the payment of a subject: it changes whenever facts that the buyer sees may have changed.
-- Public: orders, whose version tag includes it.
CREATE OR REPLACE FUNCTION payment_mark(p_account uuid, p_subject uuid) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(ROW(attempt_id, state, expires_at > now())::text, ' ' ORDER BY attempt_id)
    FROM payment_attempts WHERE account_id = p_account AND subject = p_subject;
$$;
