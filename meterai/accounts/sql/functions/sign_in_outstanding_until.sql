-- Return until when a mailbox (an address without its +tag) or a known device has the maximum of unused codes,
-- counted within the life of a code; null if it has fewer.
CREATE OR REPLACE FUNCTION sign_in_outstanding_until(
    p_email text, p_device uuid, p_at timestamptz, p_lives interval, p_outstanding integer
) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_oldest timestamptz;
BEGIN
    IF p_device IS NULL THEN
        SELECT created_at INTO v_oldest FROM sign_in_challenges
        WHERE regexp_replace(email, '\+[^@]*@', '@') = regexp_replace(p_email, '\+[^@]*@', '@')
            AND device IS NULL AND used_at IS NULL AND created_at > p_at - p_lives
        ORDER BY created_at DESC OFFSET p_outstanding - 1 LIMIT 1;
    ELSE
        SELECT created_at INTO v_oldest FROM sign_in_challenges
        WHERE email = p_email AND device = p_device AND used_at IS NULL AND created_at > p_at - p_lives
        ORDER BY created_at DESC OFFSET p_outstanding - 1 LIMIT 1;
    END IF;
    RETURN v_oldest + p_lives;
END $$;
