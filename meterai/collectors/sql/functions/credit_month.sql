-- The first day of the month in WIB of a moment.
CREATE OR REPLACE FUNCTION credit_month(p_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT date_trunc('month', p_at AT TIME ZONE 'Asia/Jakarta')::date;
$$;
