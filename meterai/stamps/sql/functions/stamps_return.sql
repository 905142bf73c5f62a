-- Public: refunds, which gives the money of unused stamps back.
CREATE OR REPLACE FUNCTION stamps_return(p_account uuid, p_lot uuid, p_most bigint DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_lot stamp_lots;
    v_free integer;
BEGIN
    -- The balance first, as in stamps_hold.
    PERFORM ledger_free(p_account, book) FROM stamp_lots
    WHERE account_id = p_account AND lot_id = p_lot;
    SELECT * INTO v_lot FROM stamp_lots
    WHERE account_id = p_account AND lot_id = p_lot FOR UPDATE;
    v_free := coalesce(v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned, 0);
    v_free := least(v_free, p_most);  -- least() passes over a null
    IF v_free > 0 THEN
        UPDATE stamp_lots SET returned = returned + v_free
        WHERE account_id = p_account AND lot_id = p_lot;
    END IF;
    RETURN v_free;
END $$;
