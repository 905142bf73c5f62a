-- Begin another attempt of a subject, by the rail and method of its last attempt.  Answers false if the subject has had
-- p_attempts_max attempts.
CREATE OR REPLACE FUNCTION payment_open_another(
    p_account uuid, p_attempt uuid, p_subject uuid, p_reference text, p_amount bigint,
    p_expires_at timestamptz, p_attempts_max integer
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_last payment_attempts;
BEGIN
    IF (SELECT count(*) FROM payment_attempts
        WHERE account_id = p_account AND subject = p_subject) >= p_attempts_max THEN
        RETURN false;
    END IF;
    SELECT * INTO v_last FROM payment_attempts
    WHERE account_id = p_account AND subject = p_subject ORDER BY attempt_id DESC LIMIT 1;
    PERFORM payment_begin(
        p_account, p_attempt, p_subject, coalesce(v_last.provider, 'bank'),
        coalesce(v_last.method, 'qris'), p_reference, p_amount, p_expires_at, 0);
    RETURN true;
END $$;
