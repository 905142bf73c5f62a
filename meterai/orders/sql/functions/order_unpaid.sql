-- How many orders of an account are not paid, counted no further than one beyond the limit.
CREATE OR REPLACE FUNCTION order_unpaid(p_account uuid, p_unpaid_max integer) RETURNS integer
LANGUAGE sql AS $$
    SELECT count(*)::integer FROM (SELECT 1 FROM orders WHERE account_id = p_account
        AND state = 'placed' LIMIT p_unpaid_max::bigint + 1) AS unpaid;
$$;
