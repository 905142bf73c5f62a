-- Give back every unused stamp of an order with its money.  Answers how many there were.
CREATE OR REPLACE FUNCTION refund_unused(
    p_account uuid, p_order uuid, p_refund uuid, p_cause_key text, p_cause text,
    p_refund_no text, p_due_at timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_lot stamp_lots;
    v_free integer;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state NOT IN ('paid', 'executed', 'denied') THEN
        RETURN 0;
    END IF;
    -- What the issuer took back is not given back a second time.
    PERFORM refund_recover(p_account, p_order, v_order.paid_attempt, v_order.paid_payment);
    v_free := stamps_return(p_account, p_order);
    IF v_free = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
    PERFORM refund_request(p_account, p_refund, p_cause_key, p_cause, p_order,
        v_order.paid_attempt, v_order.paid_payment,
        v_free * (v_lot.unit_price + v_lot.service_fee), v_free, v_lot.book, p_refund_no,
        p_due_at);
    IF v_lot.returned = v_lot.issued AND v_order.state <> 'denied' THEN
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
    RETURN v_free;
END $$;
