-- Record a bank account that a buyer named.  Money that waits for an account goes to it, and so does the money of planned
-- transfers to the account named before.  Money that waits for an account later needs another request to the buyer, so that
-- a stolen link or session gives access to no later money.  Answers the refunds that go to the account now.
CREATE OR REPLACE FUNCTION payee_name(
    p_account uuid, p_payee uuid, p_bank_code text, p_account_no text, p_holder text
) RETURNS SETOF refunds
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    UPDATE payees SET ended_at = now() WHERE account_id = p_account AND ended_at IS NULL;
    INSERT INTO payees (account_id, payee_id, bank_code, account_no, holder)
    VALUES (p_account, p_payee, p_bank_code, p_account_no, p_holder);
    PERFORM transfer_void(p_account, transfer_id) FROM transfers WHERE account_id = p_account AND state = 'planned';
    RETURN QUERY UPDATE refunds SET way = 'transfer', wanted_at = NULL, waited_seconds = waited_seconds
        + greatest(0, floor(extract(epoch FROM v_now - greatest(wanted_at, due_at))))::bigint
    WHERE account_id = p_account AND way = 'claim' AND state = 'requested'
    RETURNING *;
END $$;
