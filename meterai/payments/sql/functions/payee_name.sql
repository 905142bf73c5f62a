-- A buyer named an account: what waits for one goes there, and what is found later too.
CREATE OR REPLACE FUNCTION payee_name(
    p_account uuid, p_payee uuid, p_bank_code text, p_account_no text, p_holder text
) RETURNS SETOF refunds
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payees SET ended_at = now() WHERE account_id = p_account AND ended_at IS NULL;
    INSERT INTO payees (account_id, payee_id, bank_code, account_no, holder)
    VALUES (p_account, p_payee, p_bank_code, p_account_no, p_holder);
    RETURN QUERY SELECT * FROM payee_takes(p_account);
END $$;
