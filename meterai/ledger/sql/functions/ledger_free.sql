-- Amount of a guarded balance that is not held; null if there is no such balance.  The balance stays locked until the
-- transaction ends.
-- Public: stamps and stamping, which lock a balance before its lots; orders and distribution, for balances of deposits.
CREATE OR REPLACE FUNCTION ledger_free(p_account uuid, p_book text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_free bigint;
BEGIN
    SELECT posted - held INTO v_free FROM balances
    WHERE account_id = p_account AND book = p_book FOR UPDATE;
    RETURN v_free;
END $$;
