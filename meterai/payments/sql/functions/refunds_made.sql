-- Each refund with its payment.  One SELECT, so that it is inlined into the calling query.
-- Public: finance, for its statement of a provider and its ageing of refunds.
CREATE OR REPLACE FUNCTION refunds_made()
RETURNS TABLE (
    account_id uuid, refund_id uuid, attempt_id uuid, amount bigint, state text, requested_at timestamptz,
    due_at timestamptz
)
LANGUAGE sql STABLE AS $$
    SELECT account_id, refund_id, attempt_id, amount, state, requested_at, due_at FROM refunds
$$;
