-- Time of the next status query of an attempt; 'infinity' after the provider's window.  The pause grows with each query up to
-- an hour; for a paid attempt, or after two days, up to a day.  A paid attempt is queried to find a second payment without
-- news; its first pause is longer, since that is not urgent.
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
