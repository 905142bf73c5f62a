-- Hold stamps for one stamping and bind its serials.  Takes stamps of the oldest lots first, or of one lot only.
-- Refuses `not_enough_stamps`.
-- Public: stamping, which reserves stamps for a document.
CREATE OR REPLACE FUNCTION stamps_hold(
    p_account uuid, p_stamping uuid, p_book text, p_lot uuid, p_serials text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_needed integer := cardinality(p_serials);
    v_available bigint;
    v_given integer := 0;
    v_take integer;
    v_lot stamp_lots;
BEGIN
    -- The row of the balance is always locked before rows of lots, so that concurrent stampings of one account wait here
    -- without a deadlock.
    v_available := ledger_free(p_account, p_book);
    IF coalesce(v_available, 0) < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', coalesce(v_available, 0)));
    END IF;
    PERFORM ledger_hold(p_account, p_stamping, p_book, v_needed, p_stamping::text);
    FOR v_lot IN
        SELECT * FROM stamp_lots
        WHERE account_id = p_account AND book = p_book AND lot_id = coalesce(p_lot, lot_id)
            AND issued > held + affixed + returned
        ORDER BY lot_id FOR UPDATE
    LOOP
        v_take := least(v_needed - v_given,
                        v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned);
        UPDATE stamp_lots SET held = held + v_take
        WHERE account_id = p_account AND lot_id = v_lot.lot_id;
        INSERT INTO stamps (account_id, serial, stamping_id, lot_id, position)
        SELECT p_account, p_serials[place], p_stamping, v_lot.lot_id, place
        FROM generate_series(v_given + 1, v_given + v_take) AS place;
        v_given := v_given + v_take;
        EXIT WHEN v_given = v_needed;
    END LOOP;
    IF v_given < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', v_given));
    END IF;
END $$;
