-- Orders for queries of rooms that call this one; inlined into the calling query.
-- Public: stamping, whose documents wait for them.
CREATE OR REPLACE FUNCTION orders_told()
RETURNS TABLE (account_id uuid, order_id uuid, idempotency_key text, state text, paid_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT o.account_id, o.order_id, o.idempotency_key, o.state, o.paid_at FROM orders o;
$$;
