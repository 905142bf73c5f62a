-- Public: finance, whose statement of a provider has the differences of its payments.
-- The provider of a payment by its number; NULL for an unknown one.
CREATE OR REPLACE FUNCTION payment_provider_of(p_payment text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT a.provider FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.payment = p_payment AND c.learned_by <> 'denial' LIMIT 1
$$;
