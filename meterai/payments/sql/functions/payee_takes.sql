-- What waits for an account goes to the one that was named.  Answers the refunds.
CREATE OR REPLACE FUNCTION payee_takes(p_account uuid) RETURNS SETOF refunds
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    RETURN QUERY UPDATE refunds SET way = 'transfer', wanted_at = NULL, waited_seconds = waited_seconds
        + greatest(0, floor(extract(epoch FROM v_now - greatest(wanted_at, due_at))))::bigint
    WHERE account_id = p_account AND way = 'claim' AND state = 'requested'
        AND EXISTS (SELECT 1 FROM payees WHERE account_id = p_account AND ended_at IS NULL)
    RETURNING *;
END $$;
