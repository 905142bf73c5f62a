-- Version tag of the stamps of an order: it changes whenever the number of its held, affixed or returned stamps does.
-- Public: orders, whose version tag includes it.
CREATE OR REPLACE FUNCTION stamps_mark(p_account uuid, p_lot uuid) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT ROW(issued, held, affixed, returned)::text
    FROM stamp_lots WHERE account_id = p_account AND lot_id = p_lot;
$$;
