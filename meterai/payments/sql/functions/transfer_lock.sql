-- Lock the attempts of the refunds of a transfer, then the transfer: the order in which all callers take these locks.
CREATE OR REPLACE FUNCTION transfer_lock(p_account uuid, p_transfer uuid) RETURNS transfers
LANGUAGE plpgsql AS $$
DECLARE
    v_transfer transfers;
BEGIN
    PERFORM payment_lock(p_account, attempt_id) FROM (
        SELECT DISTINCT attempt_id FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer
        ORDER BY 1) carried;
    SELECT * INTO v_transfer FROM transfers
    WHERE account_id = p_account AND transfer_id = p_transfer FOR UPDATE;
    RETURN v_transfer;
END $$;
