-- Begin a sign-in: request a code.  Returns null if it is sent, else the time from which one may be requested.
CREATE OR REPLACE FUNCTION sign_in_begin(
    p_account uuid, p_challenge uuid, p_email text, p_network text, p_device uuid,
    p_language text, p_leads_to text, p_at timestamptz, p_expires_at timestamptz,
    p_per_address integer, p_per_known_address integer, p_per_network integer
) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_until timestamptz;
BEGIN
    -- Checked first without a lock: a flood that is refused must not wait for one.
    v_until := sign_in_waits_until(p_email, p_network, p_device, p_at,
                                   p_per_address, p_per_known_address, p_per_network);
    IF v_until IS NOT NULL THEN
        RETURN v_until;
    END IF;
    -- Counting and inserting are serial per address and per network; the address is locked first, always.  The
    -- numbers tell the three kinds of lock apart.
    IF p_device IS NULL THEN
        PERFORM pg_advisory_xact_lock(16001, hashtext(p_email));
        PERFORM pg_advisory_xact_lock(16002, hashtext(p_network));
    ELSE
        PERFORM pg_advisory_xact_lock(16003, hashtext(p_email));
    END IF;
    v_until := sign_in_waits_until(p_email, p_network, p_device, p_at,
                                   p_per_address, p_per_known_address, p_per_network);
    IF v_until IS NOT NULL THEN
        RETURN v_until;
    END IF;
    INSERT INTO sign_in_challenges (challenge_id, email, network, device, leads_to, created_at, expires_at)
    VALUES (p_challenge, p_email, p_network, p_device, p_leads_to, p_at, p_expires_at);
    PERFORM emit(p_account, 'sign_in_asked', jsonb_build_object(
        'challenge', p_challenge, 'email', p_email, 'language', p_language, 'network', p_network));
    RETURN NULL;
END $$;
