-- True if a buyer has a current bank account: named, and not refused by its bank.  Locks the row, so that the account stays
-- current until the caller's transaction ends.
CREATE OR REPLACE FUNCTION payee_is_named(p_account uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payees WHERE account_id = p_account AND ended_at IS NULL FOR SHARE;
    RETURN FOUND;
END $$;
