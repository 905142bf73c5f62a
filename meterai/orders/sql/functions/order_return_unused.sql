-- Retire all unused stamps of an order, and begin the refund of their money.  Returns their number.
-- Public: refunds, at the request of an account.
CREATE OR REPLACE FUNCTION order_return_unused(
    p_account uuid, p_order uuid, p_refund uuid, p_cause_key text, p_cause text,
    p_refund_no text, p_due_at timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_free integer;
BEGIN
    -- Chargebacks are covered first, so that their money is not returned a second time.
    PERFORM order_recover(p_account, p_order, paid_attempt, paid_payment) FROM orders
    WHERE account_id = p_account AND order_id = p_order AND paid_attempt IS NOT NULL;
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state NOT IN ('paid', 'executed', 'denied') THEN
        RETURN 0;
    END IF;
    v_free := stamps_undo(p_account, p_order, NULL, 'stamps_returned');
    IF v_free = 0 THEN
        RETURN 0;
    END IF;
    PERFORM refund_begin(p_account, p_refund, p_cause_key, p_cause, p_order, v_order.paid_attempt,
        v_order.paid_payment, v_free * (v_order.unit_price + v_order.service_fee), v_free,
        order_used(p_account, p_order, v_order.paid_attempt, v_order.paid_payment), p_refund_no,
        p_due_at);
    IF v_order.state <> 'denied' AND NOT stamps_are_in_use(p_account, p_order) THEN
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
    PERFORM order_finish_refunds(p_account, p_order);
    RETURN v_free;
END $$;
