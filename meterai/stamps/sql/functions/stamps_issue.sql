-- Issue a lot.  Answers false while issuing is stopped.
-- Public: orders, which executes paid orders.
CREATE OR REPLACE FUNCTION stamps_issue(
    p_account uuid, p_lot uuid, p_book text, p_quantity integer, p_price bigint, p_fee bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT is_open FROM issuing) THEN
        RETURN false;
    END IF;
    INSERT INTO stamp_lots (account_id, lot_id, book, unit_price, service_fee, issued)
    VALUES (p_account, p_lot, p_book, p_price, p_fee, p_quantity);
    RETURN true;
END $$;
