-- Returns the first day of the month of a moment, in WIB.
CREATE OR REPLACE FUNCTION credit_month(p_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT date_trunc('month', p_at AT TIME ZONE 'Asia/Jakarta')::date;
$$;
