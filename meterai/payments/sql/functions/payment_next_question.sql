-- When to ask again about an attempt: ever less often, up to once an hour and, after two days or
-- once it is paid, once a day, until the provider's record of it ends.
CREATE OR REPLACE FUNCTION payment_next_question(
    p_state text, p_opened_at timestamptz, p_asked integer, p_first_seconds double precision,
    p_window_seconds double precision
) RETURNS timestamptz
LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE
        WHEN p_opened_at < now() - make_interval(secs => p_window_seconds) THEN 'infinity'
        ELSE now() + make_interval(secs => backoff_seconds(p_first_seconds, p_asked,
            CASE WHEN p_state = 'paid' OR p_opened_at < now() - interval '2 days'
                 THEN 86400 ELSE 3600 END))
    END
$$;
