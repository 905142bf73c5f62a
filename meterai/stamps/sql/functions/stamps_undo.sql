-- Retire unused stamps of a lot, at most `p_most` (null: all); if their money had moved to duty and fee, it moves back to
-- `buyer_funds`.  `p_reason` is 'stamps_returned' if their money goes back to the buyer, 'stamps_recovered' if the payer's
-- bank took it back.  Answers the number of retired stamps.
-- Public: orders, which gives unused stamps back.
CREATE OR REPLACE FUNCTION stamps_undo(p_account uuid, p_lot uuid, p_most bigint, p_reason text)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_lot stamp_lots;
    v_free integer;
    v_books text[];
    v_amounts bigint[];
BEGIN
    -- Balances are locked before lots, as in stamps_hold.
    PERFORM ledger_lock(p_account);
    SELECT * INTO v_lot FROM stamp_lots
    WHERE account_id = p_account AND lot_id = p_lot FOR UPDATE;
    v_free := coalesce(v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned, 0);
    v_free := least(v_free, p_most);  -- least() ignores null
    IF v_free <= 0 THEN
        RETURN 0;
    END IF;
    UPDATE stamp_lots SET returned = returned + v_free
    WHERE account_id = p_account AND lot_id = p_lot;
    v_books := ARRAY[v_lot.book, 'stamps_issued'];
    v_amounts := ARRAY[-v_free::bigint, v_free::bigint];
    IF v_lot.book = 'stamps_available' THEN  -- the money of unused stamps for named documents has not moved
        v_books := v_books || ARRAY['buyer_funds', 'duty_payable', 'service_fee'];
        v_amounts := v_amounts || ARRAY[v_free * (v_lot.unit_price + v_lot.service_fee),
                                        -v_free * v_lot.unit_price, -v_free * v_lot.service_fee];
    END IF;
    PERFORM ledger_post(p_account, 'undone:' || p_lot || ':' || v_lot.returned + v_free || ':' || v_free,
                        p_reason, p_lot, v_books, v_amounts);
    RETURN v_free;
END $$;
