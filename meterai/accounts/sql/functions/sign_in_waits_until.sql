-- Return the time from which a code may be requested again; null if one may be requested now.  The n-th newest code of
-- the last hour shows both whether n codes were sent and when the first of them is an hour old.
CREATE OR REPLACE FUNCTION sign_in_waits_until(
    p_email text, p_network text, p_device uuid, p_at timestamptz,
    p_per_address integer, p_per_known_address integer, p_per_network integer
) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_since timestamptz := p_at - interval '1 hour';
    v_one timestamptz;
    v_other timestamptz;
BEGIN
    IF p_device IS NULL THEN
        SELECT created_at INTO v_one FROM sign_in_challenges
        WHERE regexp_replace(email, '\+[^@]*@', '@') = regexp_replace(p_email, '\+[^@]*@', '@')
            AND device IS NULL AND created_at > v_since
        ORDER BY created_at DESC OFFSET p_per_address - 1 LIMIT 1;
        SELECT created_at INTO v_other FROM sign_in_challenges
        WHERE network = p_network AND device IS NULL AND created_at > v_since
        ORDER BY created_at DESC OFFSET p_per_network - 1 LIMIT 1;
    ELSE
        SELECT created_at INTO v_one FROM sign_in_challenges
        WHERE email = p_email AND device = p_device AND created_at > v_since
        ORDER BY created_at DESC OFFSET p_per_address - 1 LIMIT 1;
        SELECT created_at INTO v_other FROM sign_in_challenges
        WHERE email = p_email AND device IS NOT NULL AND created_at > v_since
        ORDER BY created_at DESC OFFSET p_per_known_address - 1 LIMIT 1;
    END IF;
    RETURN greatest(v_one, v_other) + interval '1 hour';
END $$;
