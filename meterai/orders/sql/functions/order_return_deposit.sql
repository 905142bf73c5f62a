-- Return the unused deposit of an order to the seller, `p_most` rupiah at most.  Returns the amount in rupiah.
-- Public: distribution, at the request of a seller.
CREATE OR REPLACE FUNCTION order_return_deposit(
    p_account uuid, p_order uuid, p_most bigint, p_refund uuid, p_refund_no text, p_due_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_amount bigint;
BEGIN
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state IS DISTINCT FROM 'executed' THEN
        RETURN 0;
    END IF;
    v_amount := order_deposit_undo(p_account, p_order, p_most, 'deposit_withdrawn', 'withdrawn:' || p_refund);
    IF v_amount = 0 THEN
        RETURN 0;
    END IF;
    PERFORM refund_begin(p_account, p_refund, 'deposit:' || p_refund, 'deposit', p_order, v_order.paid_attempt,
        v_order.paid_payment, v_amount, 0,
        order_used(p_account, p_order, v_order.paid_attempt, v_order.paid_payment), p_refund_no, p_due_at);
    IF order_deposit_worth(p_account, p_order) = 0 THEN
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
    PERFORM order_finish_refunds(p_account, p_order);
    RETURN v_amount;
END $$;
