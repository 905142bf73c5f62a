-- Price in rupiah of the outstanding stamps of a lot; null if the lot was not issued.
-- Public: orders: an order uses so much of its payment.
CREATE OR REPLACE FUNCTION stamps_worth(p_account uuid, p_lot uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT (issued - returned) * (unit_price + service_fee)
    FROM stamp_lots WHERE account_id = p_account AND lot_id = p_lot;
$$;
