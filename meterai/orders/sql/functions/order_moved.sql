-- Apply a movement of a payment's money to its order.  A loss is covered from the order.  Of money that had left and came
-- back (`p_restored` rupiah, by the entry `p_entry`), the part that the order does not use is returned to the buyer.
CREATE OR REPLACE FUNCTION order_moved(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_restored bigint, p_entry text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_rest bigint;
BEGIN
    PERFORM order_lock(p_account, p_order);
    PERFORM order_recover(p_account, p_order, p_attempt, p_payment);
    IF p_restored > 0 THEN
        v_rest := least(p_restored, payment_left(p_account, p_attempt, p_payment,
            order_used(p_account, p_order, p_attempt, p_payment)));
        IF v_rest > 0 THEN
            PERFORM payment_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'restored', p_entry);
        END IF;
        PERFORM order_restore(p_account, p_order, v_rest > 0);
    END IF;
    PERFORM order_finish_refunds(p_account, p_order);
END $$;
