-- Returns the payment number of a draw on a collector's credit.
CREATE OR REPLACE FUNCTION credit_number(p_account uuid, p_draw uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT 'credit:' || compact(p_account) || compact(p_draw);
$$;
