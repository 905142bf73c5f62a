-- Record that an attempt failed without a capture, so that its order may get another attempt.
CREATE OR REPLACE FUNCTION payment_decline(p_attempt payment_attempts) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_attempts SET state = 'declined'
    WHERE account_id = p_attempt.account_id AND attempt_id = p_attempt.attempt_id
        AND state IN ('lost', 'opening', 'waiting');
    IF p_attempt.state IN ('opening', 'waiting') THEN  -- an attempt that is lost has a successor already
        PERFORM emit(p_attempt.account_id, 'payment_declined',
                     jsonb_build_object('subject', p_attempt.subject));
    END IF;
    RETURN 'declined';
END $$;
