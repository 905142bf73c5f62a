-- Money of an order that was taken back, or had been given back, is with the operator again.  An order
-- whose stamps are in use is executed once more; what is left of any other goes back to its buyer.
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
