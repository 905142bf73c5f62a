-- As `payment_capture`, for a notification: only if the attempt is at the provider that sent it.
CREATE OR REPLACE FUNCTION payment_capture_from(
    p_provider text, p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT payment_is_at(p_provider, p_account, p_attempt) THEN
        RETURN 'unknown_attempt';
    END IF;
    RETURN payment_capture(p_account, p_attempt, p_payment, p_amount, 'notification');
END $$;
