-- Resolve a hold exactly once; returns false if it was resolved before.  If the hold is posted, the caller
-- writes the entry that moves its amount after this call, in the same transaction.
-- Public: stamps, for its holds.
CREATE OR REPLACE FUNCTION ledger_resolve(p_account uuid, p_hold uuid, p_state text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_hold holds;
BEGIN
    UPDATE holds SET state = p_state, resolved_at = now()
    WHERE account_id = p_account AND hold_id = p_hold AND state = 'held'
    RETURNING * INTO v_hold;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger_move(p_account, v_hold.book, 0, -v_hold.amount);
    RETURN true;
END $$;
