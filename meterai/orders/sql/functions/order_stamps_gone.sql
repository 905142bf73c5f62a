-- Apply the money of retired stamps that an order owed: it covers the loss of the payment that paid the order, and the
-- rest is returned to the buyer.
CREATE OR REPLACE FUNCTION order_stamps_gone(p_account uuid, p_order uuid, p_stamps integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_rest bigint;
BEGIN
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    PERFORM order_recover(p_account, p_order, v_order.paid_attempt, v_order.paid_payment);
    v_rest := least(p_stamps * (v_order.unit_price + v_order.service_fee), payment_left(
        p_account, v_order.paid_attempt, v_order.paid_payment,
        order_used(p_account, p_order, v_order.paid_attempt, v_order.paid_payment)));
    IF v_rest > 0 THEN
        PERFORM payment_give_back(p_account, p_order, v_order.paid_attempt, v_order.paid_payment, v_rest,
            'remainder', 'remainder:' || v_order.paid_attempt || ':' || v_order.paid_payment || ':'
                || (payment_loss(p_account, v_order.paid_attempt, v_order.paid_payment)).findings);
    END IF;
    PERFORM order_finish_refunds(p_account, p_order);
END $$;
