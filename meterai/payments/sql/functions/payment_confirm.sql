-- Record that the answer to a query sent at p_asked_at reports a captured payment as paid.  If the payer's bank had taken all
-- of the payment back before that time, the chargeback was won, and an event reports it to the rooms above.
CREATE OR REPLACE FUNCTION payment_confirm(
    p_account uuid, p_attempt uuid, p_payment text, p_asked_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_denied_at timestamptz;
    v_subject uuid;
    v_now timestamptz := now();
BEGIN
    UPDATE captures SET confirmed_at = coalesce(confirmed_at, v_now)
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
        AND (confirmed_at IS NULL OR denied_at < p_asked_at)
    RETURNING denied_at INTO v_denied_at;
    IF v_denied_at < p_asked_at THEN
        SELECT subject INTO v_subject FROM payment_attempts
        WHERE account_id = p_account AND attempt_id = p_attempt;
        PERFORM emit(p_account, 'payment_won', jsonb_build_object(
            'attempt', p_attempt, 'payment', p_payment, 'subject', v_subject, 'left', 0));
    END IF;
END $$;
