-- The part of each deposit that was not withdrawn, by the order that added it; inlined into the calling query.
-- Public: distribution, which returns deposits.
CREATE OR REPLACE FUNCTION order_deposits_told()
RETURNS TABLE (account_id uuid, order_id uuid, rupiah bigint)
LANGUAGE sql STABLE AS $$
    SELECT d.account_id, d.order_id, d.added - d.withdrawn FROM order_deposits d
    JOIN orders o ON o.account_id = d.account_id AND o.order_id = d.order_id AND o.state = 'executed';
$$;
