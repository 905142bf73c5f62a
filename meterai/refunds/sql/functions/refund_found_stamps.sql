-- Unused stamps that were paid with money the issuer took back have left the world; what they were
-- worth beyond the loss is the buyer's.  Answers the loss that is left.
CREATE OR REPLACE FUNCTION refund_found_stamps(
    p_account uuid, p_order orders, p_lot stamp_lots, p_count integer, p_rest bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_found bigint := p_count * (p_lot.unit_price + p_lot.service_fee) - p_rest;
    v_books text[] := ARRAY['buyer_funds'];
    v_amounts bigint[] := ARRAY[-v_found];  -- documents: their money was not executed
BEGIN
    IF p_lot.book = 'stamps_available' THEN
        v_books := v_books || ARRAY['duty_payable', 'service_fee'];
        v_amounts := ARRAY[p_rest, -p_count * p_lot.unit_price, -p_count * p_lot.service_fee];
    END IF;
    RETURN refund_found(p_account, p_order.order_id, p_order.paid_attempt, p_order.paid_payment,
        v_found, v_books || ARRAY[p_lot.book, 'stamps_issued'],
        v_amounts || ARRAY[-p_count::bigint, p_count::bigint]);
END $$;
