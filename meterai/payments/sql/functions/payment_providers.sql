-- Each attempt with the provider it was made at.  One SELECT, so that it is planned within the query that asks.
-- Public: finance, whose statement of a provider and whose ageing of refunds ask for it.
CREATE OR REPLACE FUNCTION payment_providers()
RETURNS TABLE (account_id uuid, attempt_id uuid, provider text, method text)
LANGUAGE sql STABLE AS $$
    SELECT account_id, attempt_id, provider, method FROM payment_attempts
$$;
