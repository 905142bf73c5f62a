-- The channel of each order: a distributor, a page of ours (its forms have keys of a certain form) or a program.  An order
-- of a deposit belongs to the distributor that ordered it.  A single SELECT, so that it is inlined into the calling query.
-- Public: finance and distribution, for sums by channel.
CREATE OR REPLACE FUNCTION orders_by_channel()
RETURNS TABLE (account_id uuid, order_id uuid, channel text, seller_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT o.account_id, o.order_id,
        CASE WHEN o.kind = 'deposit' THEN 'deposit' WHEN s.seller_id IS NOT NULL THEN 'distributor'
            WHEN starts_with(o.idempotency_key, 'frm_') OR starts_with(o.idempotency_key, 'reorder:') THEN 'page'
            ELSE 'api' END,
        CASE WHEN o.kind = 'deposit' THEN o.account_id ELSE s.seller_id END
    FROM orders o LEFT JOIN order_sellers s ON s.account_id = o.account_id AND s.order_id = o.order_id
$$;
