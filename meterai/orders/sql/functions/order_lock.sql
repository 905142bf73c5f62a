-- Lock one order until the transaction ends.
-- Public: refunds, which moves the money of an order.
CREATE OR REPLACE FUNCTION order_lock(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
END $$;
