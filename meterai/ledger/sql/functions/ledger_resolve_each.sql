-- Resolve holds of one balance, each exactly once; returns the holds that were not resolved before.  The caller writes
-- the entries of the held amounts after this call, in the same transaction.
-- Public: stamps, for its holds.
CREATE OR REPLACE FUNCTION ledger_resolve_each(p_account uuid, p_holds uuid[], p_book text, p_state text)
RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v_holds uuid[];
    v_held bigint;
BEGIN
    WITH resolved AS (
        UPDATE holds SET state = p_state, resolved_at = v_now
        WHERE account_id = p_account AND hold_id = ANY (p_holds) AND book = p_book AND state = 'held'
        RETURNING hold_id, amount)
    SELECT coalesce(array_agg(r.hold_id), '{}'), sum(r.amount) INTO v_holds, v_held FROM resolved r;
    IF v_held > 0 THEN
        PERFORM ledger_move(p_account, p_book, 0, -v_held);
    END IF;
    RETURN v_holds;
END $$;
