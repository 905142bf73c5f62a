-- Mark an order as executed, since all its documents are stamped.  Returns false if the order is not in the state `paid`.
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
