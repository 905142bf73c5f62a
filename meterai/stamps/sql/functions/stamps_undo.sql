-- Retire unused stamps of a lot, `p_most` at most (null: all); money that was executed for them is the buyer's again.
-- `p_reason` is 'stamps_returned' if their money goes back to the buyer, 'stamps_recovered' if it was taken back.
-- Answers their number.
-- Public: orders, which gives back unused stamps.
CREATE OR REPLACE FUNCTION stamps_undo(p_account uuid, p_lot uuid, p_most bigint, p_reason text)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_lot stamp_lots;
    v_free integer;
    v_books text[];
    v_amounts bigint[];
BEGIN
    -- The balances first, as in stamps_hold.
    PERFORM ledger_lock(p_account);
    SELECT * INTO v_lot FROM stamp_lots
    WHERE account_id = p_account AND lot_id = p_lot FOR UPDATE;
    v_free := coalesce(v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned, 0);
    v_free := least(v_free, p_most);  -- least() passes over a null
    IF v_free <= 0 THEN
        RETURN 0;
    END IF;
    UPDATE stamp_lots SET returned = returned + v_free
    WHERE account_id = p_account AND lot_id = p_lot;
    v_books := ARRAY[v_lot.book, 'stamps_issued'];
    v_amounts := ARRAY[-v_free::bigint, v_free::bigint];
    IF v_lot.book = 'stamps_available' THEN  -- money of documents is executed as they are stamped
        v_books := v_books || ARRAY['buyer_funds', 'duty_payable', 'service_fee'];
        v_amounts := v_amounts || ARRAY[v_free * (v_lot.unit_price + v_lot.service_fee),
                                        -v_free * v_lot.unit_price, -v_free * v_lot.service_fee];
    END IF;
    PERFORM ledger_post(p_account, 'undone:' || p_lot || ':' || v_lot.returned + v_free || ':' || v_free,
                        p_reason, p_lot, v_books, v_amounts);
    RETURN v_free;
END $$;
