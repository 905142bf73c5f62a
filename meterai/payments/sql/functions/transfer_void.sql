-- Void a transfer of which no call was begun, so that its refunds go by another transfer.  Answers true if it was voided.
CREATE OR REPLACE FUNCTION transfer_void(p_account uuid, p_transfer uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE transfers SET state = 'void' WHERE account_id = p_account AND transfer_id = p_transfer AND state = 'planned';
    RETURN FOUND;
END $$;
