-- Execute an order whose documents are stamped.  Answers false unless the order is paid.
CREATE OR REPLACE FUNCTION order_finish(p_account uuid, p_order uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order
        AND state = 'paid' AND kind = 'documents' FOR UPDATE;
    IF FOUND THEN
        PERFORM order_close(p_account, p_order, 'executed');
    END IF;
    RETURN FOUND;
END $$;
