-- Seconds until the next try: p_first, twice that, ... up to p_longest.  The exponent has a bound
-- of its own: 2 ^ 1024 is an error, and a counter of tries has no end.  The same in kit/backoff.py.
CREATE OR REPLACE FUNCTION backoff_seconds(
    p_first double precision, p_tries integer, p_longest double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT least(p_first * 2.0::double precision ^ least(greatest(p_tries, 0), 40), p_longest)
$$;
