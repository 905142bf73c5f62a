-- Place an order of stamps that a seller sold, to be paid from the seller's deposit; the worker opens its attempt.  A
-- repeat changes nothing.  The number of unpaid sales to a buyer is limited by the seller, not here.
-- Public: distribution, whose sales are orders of their buyers.
CREATE OR REPLACE FUNCTION order_place_sold(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_quantity integer, p_price bigint, p_fee bigint,
    p_lapses_seconds double precision, p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_provider text, p_method text, p_seller uuid, p_seller_name text, p_seller_fee bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_created boolean;
BEGIN
    SELECT created INTO v_created FROM order_place_by_method(p_account, p_order, p_key, p_request, 'stamps', p_quantity,
        p_price, p_fee, p_lapses_seconds, p_due_seconds, p_attempt, p_reference, 0, 1000000000, p_provider, p_method);
    IF v_created THEN
        PERFORM order_note_seller(p_account, p_order, p_seller, p_seller_name, p_seller_fee);
    END IF;
END $$;
