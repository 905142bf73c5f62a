-- Money of a payment that had left is with us again, by this entry.  What the order lacks for it is covered first;
-- the rest goes back to the buyer by a refund.  The caller has locked the order and the balances.
CREATE OR REPLACE FUNCTION refund_restored(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint, p_entry text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_rest bigint;
BEGIN
    PERFORM refund_recover(p_account, p_order, p_attempt, p_payment);
    v_rest := least(p_amount, refund_unassigned(p_account, p_order, p_attempt, p_payment));
    IF v_rest > 0 THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'restored', p_entry);
    END IF;
    PERFORM order_restore(p_account, p_order, v_rest > 0);
    PERFORM refund_finish_order(p_account, p_order);
END $$;
