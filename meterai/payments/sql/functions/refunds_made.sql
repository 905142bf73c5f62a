-- Each refund with the payment it gives back.  One SELECT, so that it is planned within the query that asks.
-- Public: finance, whose statement of a provider and whose ageing of refunds ask for it.
CREATE OR REPLACE FUNCTION refunds_made()
RETURNS TABLE (
    account_id uuid, refund_id uuid, attempt_id uuid, amount bigint, state text, requested_at timestamptz,
    due_at timestamptz
)
LANGUAGE sql STABLE AS $$
    SELECT account_id, refund_id, attempt_id, amount, state, requested_at, due_at FROM refunds
$$;
