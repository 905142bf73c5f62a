-- Payments of an account with a loss that is left.
-- Public: orders, which covers it when a deposit grew.
CREATE OR REPLACE FUNCTION payment_losses(p_account uuid) RETURNS TABLE (attempt_id uuid, payment text)
LANGUAGE sql STABLE AS $$
    SELECT b.attempt_id, b.payment FROM chargebacks b WHERE b.account_id = p_account AND b.lost > 0;
$$;
