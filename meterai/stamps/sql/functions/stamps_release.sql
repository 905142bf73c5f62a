-- Release the stamps of a stamping that will not happen; its serials become void.
-- Stamps that their lot owes (`owed`) are retired at once, so that nobody can use them in between.
-- Public: stamping, which could not stamp a document.
CREATE OR REPLACE FUNCTION stamps_release(p_account uuid, p_stamping uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_lot stamp_lots;
    v_gone integer;
BEGIN
    IF EXISTS (SELECT 1 FROM stamps s JOIN stamp_lots l USING (account_id, lot_id)
               WHERE s.account_id = p_account AND s.stamping_id = p_stamping AND l.owed > 0) THEN
        PERFORM ledger_lock(p_account);
    END IF;
    IF NOT ledger_resolve(p_account, p_stamping, 'voided') THEN
        RETURN false;
    END IF;
    PERFORM stamps_leave_hold(p_account, p_stamping, 'void');
    FOR v_lot IN
        SELECT * FROM stamp_lots WHERE account_id = p_account AND owed > 0 AND lot_id IN (
            SELECT lot_id FROM stamps WHERE account_id = p_account AND stamping_id = p_stamping)
        ORDER BY lot_id FOR UPDATE
    LOOP
        v_gone := stamps_undo(p_account, v_lot.lot_id, v_lot.owed, 'stamps_recovered');
        PERFORM stamps_owe(p_account, v_lot.lot_id, v_lot.owed - v_gone);
        PERFORM emit(p_account, 'stamps_gone', jsonb_build_object(
            'order', v_lot.lot_id, 'stamps', v_gone));
    END LOOP;
    RETURN true;
END $$;
