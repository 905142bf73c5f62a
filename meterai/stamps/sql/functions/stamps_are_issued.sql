-- True if a lot was issued.
-- Public: orders: an order is executed once its lot is issued.
CREATE OR REPLACE FUNCTION stamps_are_issued(p_account uuid, p_lot uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM stamp_lots WHERE account_id = p_account AND lot_id = p_lot);
$$;
