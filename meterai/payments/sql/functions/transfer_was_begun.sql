-- True if a transfer was made or may be under way; refunds of such a transfer must not be stopped.
CREATE OR REPLACE FUNCTION transfer_was_begun(p_account uuid, p_transfer uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM transfers WHERE account_id = p_account AND transfer_id = p_transfer
        AND state = ANY ('{sent,accepted,settled}'));
$$;
