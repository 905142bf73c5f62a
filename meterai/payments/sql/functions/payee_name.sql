-- A buyer named an account: what waits for one goes there, and what is found later too.  So does what was planned for the one
-- before and not begun.
CREATE OR REPLACE FUNCTION payee_name(
    p_account uuid, p_payee uuid, p_bank_code text, p_account_no text, p_holder text
) RETURNS SETOF refunds
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payees SET ended_at = now() WHERE account_id = p_account AND ended_at IS NULL;
    INSERT INTO payees (account_id, payee_id, bank_code, account_no, holder)
    VALUES (p_account, p_payee, p_bank_code, p_account_no, p_holder);
    PERFORM transfer_void(p_account, transfer_id) FROM transfers WHERE account_id = p_account AND state = 'planned';
    RETURN QUERY SELECT * FROM payee_takes(p_account);
END $$;
