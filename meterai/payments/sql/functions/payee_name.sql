-- Record an account that a buyer named: money that waits for one goes there, and so do planned transfers to the one before that
-- were not begun.  Money that waits later needs another request, so that one stolen link or session leads to no other.
-- Answers the refunds.
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
