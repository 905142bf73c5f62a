-- Begin another attempt of a subject, by this rail and method.  Answers false if the subject has had p_attempts_max attempts.
CREATE OR REPLACE FUNCTION payment_open_another_by(
    p_account uuid, p_attempt uuid, p_subject uuid, p_provider text, p_method text,
    p_reference text, p_amount bigint, p_expires_at timestamptz, p_attempts_max integer
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM payment_attempts
        WHERE account_id = p_account AND subject = p_subject) >= p_attempts_max THEN
        RETURN false;
    END IF;
    PERFORM payment_begin(p_account, p_attempt, p_subject, p_provider, p_method, p_reference,
                          p_amount, p_expires_at, 0);
    RETURN true;
END $$;
