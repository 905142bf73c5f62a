-- Begin another attempt, by this rail and method, in place of an attempt whose instructions cannot be shown.  Answers
-- 'replaced', 'closed' (the attempt has another state or has expired), or 'spent' (its subject has had p_attempts_max
-- attempts).
CREATE OR REPLACE FUNCTION payment_replace_by(
    p_account uuid, p_lost uuid, p_attempt uuid, p_provider text, p_method text, p_reference text,
    p_first_seconds double precision, p_attempts_max integer
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_lost payment_attempts;
    v_attempts integer;
BEGIN
    UPDATE payment_attempts SET state = 'lost', ask_at = now() + make_interval(secs => 5),
        ask_rank = 1, is_perhaps_made = true
    WHERE account_id = p_account AND attempt_id = p_lost AND state = 'opening'
    RETURNING * INTO v_lost;
    IF NOT FOUND OR v_lost.expires_at <= now() THEN
        RETURN 'closed';
    END IF;
    SELECT count(*) INTO v_attempts FROM payment_attempts
    WHERE account_id = p_account AND subject = v_lost.subject;
    IF v_attempts >= p_attempts_max THEN
        RETURN 'spent';
    END IF;
    PERFORM payment_begin(
        p_account, p_attempt, v_lost.subject, p_provider, p_method, p_reference, v_lost.amount,
        v_lost.expires_at, CASE WHEN p_provider = v_lost.provider
                           THEN backoff_seconds(p_first_seconds, v_attempts - 1, 120) ELSE 0 END);
    RETURN 'replaced';
END $$;
