-- Carries a sale over to its buyer: makes the order, and pays it if the deposit paid. A repeat changes nothing.
CREATE OR REPLACE FUNCTION sale_follow(
    p_buyer uuid, p_order uuid, p_key text, p_request bytea, p_quantity integer, p_price bigint, p_fee bigint,
    p_lapses_seconds double precision, p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_provider text, p_method text, p_seller uuid, p_seller_name text, p_payment text
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM order_place_sold(p_buyer, p_order, p_key, p_request, p_quantity, p_price, p_fee, p_lapses_seconds,
        p_due_seconds, p_attempt, p_reference, p_provider, p_method, p_seller, p_seller_name, 0);
    IF p_payment IS NOT NULL THEN
        PERFORM payment_capture(p_buyer, p_attempt, p_payment, p_quantity * (p_price + p_fee), 'question');
    END IF;
END $$;
