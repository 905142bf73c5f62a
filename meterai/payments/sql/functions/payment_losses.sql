-- Payments of an account whose loss is not wholly covered.
-- Public: orders, which covers such a loss when a deposit grows.
CREATE OR REPLACE FUNCTION payment_losses(p_account uuid) RETURNS TABLE (attempt_id uuid, payment text)
LANGUAGE sql STABLE AS $$
    SELECT b.attempt_id, b.payment FROM chargebacks b WHERE b.account_id = p_account AND b.lost > 0;
$$;
