-- True if stamps of this lot are outstanding: held, affixed or free.
-- Public: orders: an order counts as executed as long as its lot has such stamps.
CREATE OR REPLACE FUNCTION stamps_are_in_use(p_account uuid, p_lot uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM stamp_lots
                   WHERE account_id = p_account AND lot_id = p_lot AND issued > returned);
$$;
