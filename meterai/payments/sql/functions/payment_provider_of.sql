-- Public: finance, for the differences of payments in its statement of a provider.
-- The provider of the payment with this number; NULL for an unknown number.
CREATE OR REPLACE FUNCTION payment_provider_of(p_payment text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT a.provider FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.payment = p_payment AND c.learned_by <> 'denial' LIMIT 1
$$;
