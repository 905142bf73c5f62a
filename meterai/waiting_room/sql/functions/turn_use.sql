-- Use a turn for an account.  Returns `used`; `of_another` (another account or holder has the turn); `has_another` (the
-- account waited for two turns at once, used the other one, and that has expired); or `over`.  After the first use the
-- visitor no longer counts as inside; the turn stays valid for repeats on any device.  If an account shows a second turn
-- meanwhile, its first one is used again, and the second stays unused.  An early turn (`p_early_at`) gets its row here.
CREATE OR REPLACE FUNCTION turn_use(
    p_line uuid, p_number bigint, p_holder bytea, p_account uuid, p_since timestamptz,
    p_early_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_turn waiting_room_turns;
    v_began timestamptz;
BEGIN
    -- This lock makes two browsers of one account wait for each other.
    PERFORM pg_advisory_xact_lock(16010, hashtext(p_account::text || p_line::text));
    IF p_early_at IS NOT NULL THEN
        INSERT INTO waiting_room_turns
            (line_id, number, holder, taken_at, admitted_at, shown_low, shown_high, waited, called_with)
        SELECT line_id, p_number, p_holder, p_early_at, p_early_at, 0, 0, 0, 0 FROM waiting_room_lines
        WHERE line_id = p_line
        ON CONFLICT ON CONSTRAINT waiting_room_turns_pkey DO NOTHING;
    END IF;
    SELECT * INTO v_turn FROM waiting_room_turns
    WHERE line_id = p_line AND number = p_number FOR UPDATE;
    IF NOT FOUND OR v_turn.admitted_at <= p_since THEN
        RETURN 'over';
    END IF;
    IF v_turn.holder <> p_holder OR v_turn.used_by <> p_account THEN
        RETURN 'of_another';
    END IF;
    IF v_turn.used_by = p_account THEN
        RETURN 'used';
    END IF;
    SELECT max(admitted_at) INTO v_began FROM waiting_room_turns
    WHERE line_id = p_line AND used_by = p_account AND ended_at > v_turn.taken_at;
    IF v_began IS NOT NULL THEN
        RETURN CASE WHEN v_began > p_since THEN 'used' ELSE 'has_another' END;
    END IF;
    UPDATE waiting_room_turns SET used_by = p_account, ended_at = clock_timestamp()
    WHERE line_id = p_line AND number = p_number;
    RETURN 'used';
END $$;
