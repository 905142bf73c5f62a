-- Move an order to a final or nearly final state and emit its event.
CREATE OR REPLACE FUNCTION order_close(p_account uuid, p_order uuid, p_state text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_seller_fee bigint;
BEGIN
    UPDATE orders SET state = p_state, closed_at = now()
    WHERE account_id = p_account AND order_id = p_order RETURNING seller_fee INTO v_seller_fee;
    IF p_state IN ('lapsed', 'withdrawn', 'returning') THEN
        PERFORM member_stamps_return(p_account, p_order);
    END IF;
    IF v_seller_fee IS NOT NULL THEN
        PERFORM order_pass_fee(p_account, p_order);
    END IF;
    PERFORM emit(p_account, 'order_' || p_state, jsonb_build_object('order', p_order));
END $$;
