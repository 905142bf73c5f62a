-- `sign_in_begin` that also refuses an address with enough unused codes.  A function of its own, because the
-- previous version calls `sign_in_begin`.
CREATE OR REPLACE FUNCTION sign_in_begin_bounded(
    p_account uuid, p_challenge uuid, p_email text, p_network text, p_device uuid,
    p_language text, p_leads_to text, p_at timestamptz, p_expires_at timestamptz,
    p_per_address integer, p_per_known_address integer, p_per_network integer, p_outstanding integer
) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    v_lives interval := p_expires_at - p_at;
    v_until timestamptz;
BEGIN
    v_until := greatest(
        sign_in_outstanding_until(p_email, p_device, p_at, v_lives, p_outstanding),
        sign_in_waits_until(p_email, p_network, p_device, p_at,
                            p_per_address, p_per_known_address, p_per_network));
    IF v_until IS NOT NULL THEN
        RETURN v_until;
    END IF;
    -- The locks of `sign_in_begin`, which takes them again: the address first, always.  The mailbox is locked
    -- before it, so that two spellings of one address are serial.
    PERFORM pg_advisory_xact_lock(16001, hashtext(regexp_replace(p_email, '\+[^@]*@', '@')))
    WHERE p_device IS NULL;
    PERFORM pg_advisory_xact_lock(CASE WHEN p_device IS NULL THEN 16001 ELSE 16003 END, hashtext(p_email));
    v_until := sign_in_outstanding_until(p_email, p_device, p_at, v_lives, p_outstanding);
    IF v_until IS NOT NULL THEN
        RETURN v_until;
    END IF;
    RETURN sign_in_begin(p_account, p_challenge, p_email, p_network, p_device, p_language, p_leads_to,
                         p_at, p_expires_at, p_per_address, p_per_known_address, p_per_network);
END $$;
