-- Close an order whose whole money was charged back (`p_is_denied`) or returned to the buyer.
CREATE OR REPLACE FUNCTION order_end(p_account uuid, p_order uuid, p_is_denied boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_is_denied THEN
        PERFORM order_close(p_account, p_order, 'denied');
    ELSE
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
END $$;
