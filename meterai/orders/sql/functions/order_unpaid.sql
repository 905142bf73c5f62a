-- The number of unpaid orders that an account placed itself, counted up to one beyond the limit.  A sale that a seller made
-- to the account does not count, so that a seller cannot use up the buyer's limit.  An order that the account placed on
-- the page of a seller, with the key of a form, counts.
CREATE OR REPLACE FUNCTION order_unpaid(p_account uuid, p_unpaid_max integer) RETURNS integer
LANGUAGE sql AS $$
    SELECT count(*)::integer FROM (SELECT 1 FROM orders o WHERE account_id = p_account AND state = 'placed'
        AND NOT EXISTS (SELECT 1 FROM order_sellers s WHERE s.account_id = o.account_id AND s.order_id = o.order_id
                AND o.idempotency_key LIKE 'sale:%')
        LIMIT p_unpaid_max::bigint + 1) AS unpaid;
$$;
