-- After every move of an order's refunds: when the last of them is due, and whether it is over.
CREATE OR REPLACE FUNCTION refund_finish_order(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    v_state := order_returning_due(p_account, p_order, (
        SELECT max(due_at) FROM refunds WHERE account_id = p_account AND order_id = p_order
            AND state IN ('requested', 'sent', 'refused')));
    IF v_state = 'returning' AND order_in_flight(p_account, p_order) = 0 THEN
        PERFORM order_close(p_account, p_order, 'returned');
    END IF;
END $$;
