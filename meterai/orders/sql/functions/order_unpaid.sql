-- How many orders that an account placed itself are not paid, counted no further than one beyond the limit.  What a seller
-- sold to it is no order of its own: nobody uses up the limit of another.  One that it placed itself on the page of a seller is,
-- by the key of a form.
CREATE OR REPLACE FUNCTION order_unpaid(p_account uuid, p_unpaid_max integer) RETURNS integer
LANGUAGE sql AS $$
    SELECT count(*)::integer FROM (SELECT 1 FROM orders o WHERE account_id = p_account AND state = 'placed'
        AND NOT EXISTS (SELECT 1 FROM order_sellers s WHERE s.account_id = o.account_id AND s.order_id = o.order_id
                AND o.idempotency_key LIKE 'sale:%')
        LIMIT p_unpaid_max::bigint + 1) AS unpaid;
$$;
