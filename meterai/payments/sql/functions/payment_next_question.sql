-- Time of the next status query of an attempt: ever less often, up to once an hour and, after two days or
-- once it is paid, once a day, until the provider's window ends.  A paid attempt is queried for a second payment
-- without news, which may wait for minutes.
CREATE OR REPLACE FUNCTION payment_next_question(
    p_state text, p_opened_at timestamptz, p_asked integer, p_first_seconds double precision,
    p_window_seconds double precision
) RETURNS timestamptz
LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE
        WHEN p_opened_at < now() - make_interval(secs => p_window_seconds) THEN 'infinity'
        ELSE now() + make_interval(secs => backoff_seconds(
            CASE WHEN p_state = 'paid' THEN 60 ELSE 1 END * p_first_seconds, p_asked,
            CASE WHEN p_state = 'paid' OR p_opened_at < now() - interval '2 days'
                 THEN 86400 ELSE 3600 END))
    END
$$;
