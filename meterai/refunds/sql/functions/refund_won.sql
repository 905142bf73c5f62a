-- A payment that its payer's bank had wholly taken back is with us again.  Answers whether it was booked.
CREATE OR REPLACE FUNCTION refund_won(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
    v_total bigint;
    v_entry text;
BEGIN
    PERFORM order_lock(p_account, p_order);
    SELECT amount, total INTO v_amount, v_total
    FROM payment_mark_won(p_account, p_attempt, p_payment);
    IF v_amount IS NULL THEN
        RETURN false;
    END IF;
    v_entry := 'won:' || p_attempt || ':' || p_payment || ':' || v_total;
    PERFORM ledger_lock(p_account);
    PERFORM ledger_post(p_account, v_entry, 'chargeback_won', p_order,
        ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-v_amount, v_amount]);
    PERFORM refund_restored(p_account, p_order, p_attempt, p_payment, v_amount, v_entry);
    RETURN true;
END $$;
