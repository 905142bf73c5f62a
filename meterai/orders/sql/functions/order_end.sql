-- Close an order of which nothing is left: its money went to the payer's bank, or back to the buyer.
CREATE OR REPLACE FUNCTION order_end(p_account uuid, p_order uuid, p_is_denied boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_is_denied THEN
        PERFORM order_close(p_account, p_order, 'denied');
    ELSE
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
END $$;
