-- A payment that was wholly taken back is with us again: its chargeback is over, and its attempt is paid.
-- Answers the rupiah that are to be booked, and all that was ever won of it; nothing where it was not wholly
-- taken back, or that is not booked yet.
CREATE OR REPLACE FUNCTION payment_mark_won(
    p_account uuid, p_attempt uuid, p_payment text, OUT amount bigint, OUT total bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    -- The attempt before its chargeback, as everybody locks them.
    PERFORM 1 FROM payment_attempts WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    UPDATE chargebacks b SET won = b.posted, taken_back = b.posted, is_whole = false
    FROM captures c
    WHERE b.account_id = p_account AND b.attempt_id = p_attempt AND b.payment = p_payment
        AND c.account_id = b.account_id AND c.attempt_id = b.attempt_id AND c.payment = b.payment
        AND c.denied_at IS NOT NULL AND b.posted - b.won = c.amount
    RETURNING c.amount, b.won INTO amount, total;
    IF FOUND THEN
        UPDATE captures SET denied_at = NULL
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        UPDATE payment_attempts SET state = 'paid'
        WHERE account_id = p_account AND attempt_id = p_attempt AND state = 'denied';
    END IF;
END $$;
