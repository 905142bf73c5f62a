-- Close a placed order as lapsed or withdrawn.  Returns its state; an order in another state stays unchanged.
-- Public: distribution, whose waiting sales end with their seller.
CREATE OR REPLACE FUNCTION order_abandon(p_account uuid, p_order uuid, p_state text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    SELECT state INTO v_state FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_state = 'placed' OR (v_state = 'lapsed' AND p_state = 'withdrawn') THEN
        IF p_state = 'lapsed' THEN
            PERFORM payment_expire(p_account, p_order);
        END IF;
        PERFORM order_close(p_account, p_order, p_state);
        RETURN p_state;
    END IF;
    RETURN v_state;
END $$;
