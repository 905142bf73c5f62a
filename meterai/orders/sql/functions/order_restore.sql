-- Change the state of an order whose money had been charged back or given back, and came back.  If stamps of the order are
-- in use, it is executed again; otherwise its money is being returned to the buyer.
CREATE OR REPLACE FUNCTION order_restore(p_account uuid, p_order uuid, p_is_returning boolean)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_is_used boolean := stamps_are_in_use(p_account, p_order);
BEGIN
    UPDATE orders SET state = CASE WHEN v_is_used THEN 'executed' ELSE 'returning' END
    WHERE account_id = p_account AND order_id = p_order
        AND (state = 'denied' AND (v_is_used OR p_is_returning) OR state = 'returned' AND p_is_returning);
END $$;
