-- Begin the refund of a paid order that was not executed by its due time.  Returns the state of the order.
-- Public: refunds, for orders past their due time.
CREATE OR REPLACE FUNCTION order_return_unexecuted(
    p_account uuid, p_order uuid, p_refund uuid, p_refund_no text, p_due_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state <> 'paid' OR stamps_are_issued(p_account, p_order) THEN
        RETURN v_order.state;
    END IF;
    PERFORM order_close(p_account, p_order, 'returning');
    PERFORM refund_begin(p_account, p_refund, 'not_executed:' || p_order, 'not_executed', p_order,
        v_order.paid_attempt, v_order.paid_payment, v_order.total, 0,
        order_used(p_account, p_order, v_order.paid_attempt, v_order.paid_payment), p_refund_no,
        p_due_at);
    PERFORM order_finish_refunds(p_account, p_order);
    RETURN 'returning';
END $$;
