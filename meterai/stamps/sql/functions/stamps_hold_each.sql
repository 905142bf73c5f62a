-- Hold stamps for stampings of one account and bind their serials: the n-th serial belongs to the n-th element of the list of
-- stampings, and serials of one stamping are adjacent, in the order of its placements.  Takes stamps of the oldest lots first,
-- or of one lot only.  Refuses `not_enough_stamps`, and then holds no stamp.
-- Public: stamping, which reserves stamps for several documents.
CREATE OR REPLACE FUNCTION stamps_hold_each(
    p_account uuid, p_book text, p_lot uuid, p_stampings uuid[], p_serials text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_needed integer := coalesce(cardinality(p_serials), 0);
    v_available bigint;
    v_given integer := 0;
    v_take integer;
    v_holds uuid[];
    v_amounts bigint[];
    v_lot stamp_lots;
BEGIN
    IF v_needed = 0 THEN
        RETURN;
    END IF;
    -- The balance is locked before lots, as in stamps_hold.
    v_available := ledger_free(p_account, p_book);
    IF coalesce(v_available, 0) < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', coalesce(v_available, 0)));
    END IF;
    SELECT array_agg(s.one), array_agg(s.needed) INTO v_holds, v_amounts
    FROM (SELECT one, count(*) AS needed FROM unnest(p_stampings) AS one GROUP BY one) AS s;
    PERFORM ledger_hold_each(p_account, v_holds, p_book, v_amounts);
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
        SELECT p_account, s.serial, s.stamping, v_lot.lot_id,
            s.place - array_position(p_stampings, s.stamping) + 1
        FROM unnest(p_stampings, p_serials) WITH ORDINALITY AS s (stamping, serial, place)
        WHERE s.place > v_given AND s.place <= v_given + v_take;
        v_given := v_given + v_take;
        EXIT WHEN v_given = v_needed;
    END LOOP;
    IF v_given < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', v_given));
    END IF;
END $$;
