-- Resolve the items that hold the money of a payment, which is being captured.  Answers false if the payment cannot be
-- captured: the provider returned its money, or an item holds another sum of it.
-- Public: payments, which captures payments that may be in suspense.
CREATE OR REPLACE FUNCTION suspense_captured(p_payment text, p_amount bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM suspense_items WHERE payment = p_payment AND booked > 0
               AND (resolution = 'returned' OR state = 'open' AND booked <> p_amount)) THEN
        RETURN false;
    END IF;
    PERFORM suspense_resolve(item_id, 'explained', 'payments', 'captured') FROM suspense_items
    WHERE state = 'open' AND booked > 0 AND payment = p_payment;
    RETURN true;
END $$;
