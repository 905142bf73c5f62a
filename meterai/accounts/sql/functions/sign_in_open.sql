-- Complete a sign-in: the challenge is used, its address gets an account if it has none, and a session begins.
-- Returns no row if another request used the challenge before `p_again_since`, and a null language if the account
-- is of staff: the challenge is used, and no session begins.  Refuses `sign_up_closed` for an address without an
-- account while sign-up is closed; the challenge stays unused.
CREATE OR REPLACE FUNCTION sign_in_open(
    p_challenge uuid, p_at timestamptz, p_again_since timestamptz, p_actor text, p_account uuid, p_language text,
    p_session uuid, p_secret_hash bytea, p_expires_at timestamptz, p_browser text, p_system text,
    p_subject text, p_facts jsonb
) RETURNS TABLE (account uuid, language text)
LANGUAGE plpgsql AS $$
DECLARE
    v_email text;
    v_closed_at timestamptz;
BEGIN
    UPDATE sign_in_challenges SET used_at = coalesce(used_at, p_at)
    WHERE challenge_id = p_challenge AND (used_at IS NULL OR used_at > p_again_since)
    RETURNING email INTO v_email;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT d.account_id INTO account FROM email_directory d WHERE d.email = v_email;
    IF NOT FOUND THEN
        SELECT changed_at INTO v_closed_at FROM sign_up WHERE NOT is_open;
        IF FOUND THEN
            PERFORM refuse('sign_up_closed', jsonb_build_object('closed_at', v_closed_at));
        END IF;
        INSERT INTO email_directory AS d (email, account_id) VALUES (v_email, p_account)
        ON CONFLICT ON CONSTRAINT email_directory_pkey DO UPDATE SET email = excluded.email
        RETURNING d.account_id INTO account;
        INSERT INTO accounts (account_id, email, language) VALUES (account, v_email, p_language)
        ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING;
        IF FOUND THEN
            PERFORM audit_record(account, p_actor, 'account_made', 'acc_' || lower(compact(account)),
                jsonb_build_object('digest', encode(sha256(
                    uuid_send(account) || convert_to(v_email, 'UTF8')), 'hex')));
        END IF;
    END IF;
    IF EXISTS (SELECT FROM staff_roles r WHERE r.account_id = account AND r.ended_at IS NULL) THEN
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT a.language INTO STRICT language FROM accounts a WHERE a.account_id = account;
    INSERT INTO sessions (account_id, session_id, secret_hash, created_at, expires_at, browser, system)
    VALUES (account, p_session, p_secret_hash, p_at, p_expires_at, p_browser, p_system);
    PERFORM audit_record(account, p_actor, 'signed_in', p_subject, p_facts);
    RETURN NEXT;
END $$;
