-- Seconds until the next try: p_first, doubled after each try, up to p_longest.  The exponent is bounded, since
-- the number of tries is not and 2 ^ 1024 is an error.  The same rule is in kit/backoff.py.
CREATE OR REPLACE FUNCTION backoff_seconds(
    p_first double precision, p_tries integer, p_longest double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT least(p_first * 2.0::double precision ^ least(greatest(p_tries, 0), 40), p_longest)
$$;
