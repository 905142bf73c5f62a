-- Ends a waiting sale: its time is over ('due'), or its order was given up or paid otherwise ('order'). Sales behind it
-- may be paid now. Returns false if the deposit has paid it.
CREATE OR REPLACE FUNCTION sale_end(p_account uuid, p_sale uuid, p_cause text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_now timestamptz := now();
BEGIN
    PERFORM 1 FROM distributors WHERE account_id = p_account FOR UPDATE;
    UPDATE sales SET state = 'ended', ended_at = v_now, end_cause = p_cause
    WHERE account_id = p_account AND sale_id = p_sale AND state = 'waiting';
    IF FOUND THEN
        PERFORM emit(p_account, 'deposit_grew', jsonb_build_object('order', NULL::uuid));
    END IF;
    SELECT state INTO v_state FROM sales WHERE account_id = p_account AND sale_id = p_sale;
    RETURN v_state = 'ended';
END $$;
