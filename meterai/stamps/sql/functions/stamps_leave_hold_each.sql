CREATE OR REPLACE FUNCTION stamps_leave_hold_each(p_account uuid, p_stampings uuid[], p_state text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    UPDATE stamp_lots l SET
        held = l.held - s.taken,
        affixed = l.affixed + CASE WHEN p_state = 'affixed' THEN s.taken ELSE 0 END
    FROM (SELECT lot_id, count(*)::integer AS taken FROM stamps
          WHERE account_id = p_account AND stamping_id = ANY (p_stampings) AND state = 'reserved'
          GROUP BY lot_id) s
    WHERE l.account_id = p_account AND l.lot_id = s.lot_id;
    UPDATE stamps SET
        state = p_state,
        affixed_at = CASE WHEN p_state = 'affixed' THEN v_now END,
        voided_at = CASE WHEN p_state = 'void' THEN v_now END
    WHERE account_id = p_account AND stamping_id = ANY (p_stampings) AND state = 'reserved';
END $$;
