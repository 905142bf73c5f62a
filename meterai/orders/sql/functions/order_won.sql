-- Book a chargeback that was won, so that the payer's bank keeps only `p_left` rupiah, and apply it to the order.  Returns
-- true if it was booked.
CREATE OR REPLACE FUNCTION order_won(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_left bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_won record;
BEGIN
    PERFORM order_lock(p_account, p_order);
    SELECT * INTO v_won FROM payment_book_won(p_account, p_attempt, p_payment, p_order, p_left);
    IF v_won.amount IS NULL THEN
        RETURN false;
    END IF;
    PERFORM order_moved(p_account, p_order, p_attempt, p_payment, v_won.amount, v_won.entry);
    RETURN true;
END $$;
