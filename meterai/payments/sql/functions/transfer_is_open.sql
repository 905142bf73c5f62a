-- True if a transfer may still be made or was made; false if it was refused, returned or voided, or does not exist.
CREATE OR REPLACE FUNCTION transfer_is_open(p_account uuid, p_transfer uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM transfers WHERE account_id = p_account AND transfer_id = p_transfer
        AND state = ANY ('{planned,sent,accepted,settled}'));
$$;
