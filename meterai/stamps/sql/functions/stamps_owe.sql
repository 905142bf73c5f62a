-- Mark so many stamps of a lot to be retired as soon as they become free.
-- Public: orders, for a chargeback of stamps that are held for documents.
CREATE OR REPLACE FUNCTION stamps_owe(p_account uuid, p_lot uuid, p_stamps bigint) RETURNS void
LANGUAGE sql AS $$
    UPDATE stamp_lots SET owed = p_stamps
    WHERE account_id = p_account AND lot_id = p_lot AND owed <> p_stamps;
$$;
