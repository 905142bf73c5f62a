-- Amount of a guarded balance that is not held, with the balance locked until the transaction ends; null if
-- there is no such balance.
-- Public: stamps and stamping, which lock a balance before the lots of it; orders and distribution, whose deposits it is.
CREATE OR REPLACE FUNCTION ledger_free(p_account uuid, p_book text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_free bigint;
BEGIN
    SELECT posted - held INTO v_free FROM balances
    WHERE account_id = p_account AND book = p_book FOR UPDATE;
    RETURN v_free;
END $$;
