-- A transfer of which no call was begun is not sent: what it carries goes by another.  Answers whether it is not.
CREATE OR REPLACE FUNCTION transfer_void(p_account uuid, p_transfer uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE transfers SET state = 'void' WHERE account_id = p_account AND transfer_id = p_transfer AND state = 'planned';
    RETURN FOUND;
END $$;
