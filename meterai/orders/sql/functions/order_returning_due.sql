-- By when what goes back of an order is to be back; null where nothing does.  Answers its state.
-- Public: refunds, after every move of a refund.
CREATE OR REPLACE FUNCTION order_returning_due(p_account uuid, p_order uuid, p_due_at timestamptz)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    UPDATE orders SET returning_due_at = p_due_at
    WHERE account_id = p_account AND order_id = p_order RETURNING state INTO v_state;
    RETURN v_state;
END $$;
