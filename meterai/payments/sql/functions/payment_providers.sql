-- Each attempt with its provider.  One SELECT, so that it is inlined into the calling query.
-- Public: finance, for its statement of a provider and its ageing of refunds.
CREATE OR REPLACE FUNCTION payment_providers()
RETURNS TABLE (account_id uuid, attempt_id uuid, provider text, method text)
LANGUAGE sql STABLE AS $$
    SELECT account_id, attempt_id, provider, method FROM payment_attempts
$$;
