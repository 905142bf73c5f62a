-- True if a buyer has named an account that its bank has not refused.  The row is locked, so that the account does not end
-- before the caller's transaction.
CREATE OR REPLACE FUNCTION payee_is_named(p_account uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payees WHERE account_id = p_account AND ended_at IS NULL FOR SHARE;
    RETURN FOUND;
END $$;
