-- Count one try of a code, and begin a session if the code is right.  Returns the challenge before the try, and
-- the account if a session began.
CREATE OR REPLACE FUNCTION sign_in_by_code(
    p_is_right boolean, p_tries_max integer,
    p_challenge uuid, p_at timestamptz, p_again_since timestamptz, p_actor text, p_account uuid, p_language text,
    p_session uuid, p_secret_hash bytea, p_expires_at timestamptz, p_browser text, p_system text,
    p_subject text, p_facts jsonb
) RETURNS TABLE (
    email text, expires_at timestamptz, used_at timestamptz, tries integer, leads_to text,
    account uuid, language text
)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sign_in_challenges c SET tries = c.tries + 1 WHERE c.challenge_id = p_challenge
    RETURNING c.email, c.expires_at, c.used_at, c.tries - 1, c.leads_to
    INTO email, expires_at, used_at, tries, leads_to;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- The row is locked from here on: the later of two requests with one code finds it used.
    IF p_is_right AND expires_at > p_at AND tries < p_tries_max THEN
        SELECT o.account, o.language INTO account, language FROM sign_in_open(
            p_challenge, p_at, p_again_since, p_actor, p_account, p_language, p_session, p_secret_hash,
            p_expires_at, p_browser, p_system, p_subject, p_facts) o;
    END IF;
    RETURN NEXT;
END $$;
