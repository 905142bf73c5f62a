-- Whether a buyer has named an account, and its bank takes money for it as far as is known.  Locked, so that it does not end
-- before what is decided by it.
CREATE OR REPLACE FUNCTION payee_is_named(p_account uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payees WHERE account_id = p_account AND ended_at IS NULL FOR SHARE;
    RETURN FOUND;
END $$;
