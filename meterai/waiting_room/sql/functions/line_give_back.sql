-- Give back the unused leased numbers from `p_first` to `p_end - 1`.  If they are the last numbers of the line, they are
-- leased again later; otherwise they become a gap, which is skipped when numbers are called.
CREATE OR REPLACE FUNCTION line_give_back(p_line uuid, p_first bigint, p_end bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_next bigint;
    v_serving bigint;
    v_first bigint;
BEGIN
    SELECT next_number, serving INTO v_next, v_serving FROM waiting_room_lines
    WHERE line_id = p_line FOR UPDATE;
    IF NOT FOUND OR p_first >= p_end OR p_end > v_next OR v_serving >= p_first THEN
        RETURN;  -- the numbers were called already, or the line never leased them
    END IF;
    IF v_next > p_end THEN
        INSERT INTO waiting_room_gaps (line_id, first, last) VALUES (p_line, p_first, p_end - 1)
        ON CONFLICT ON CONSTRAINT waiting_room_gaps_pkey DO NOTHING;
        RETURN;
    END IF;
    v_next := p_first;
    LOOP  -- gaps that are now at the end of the sequence
        DELETE FROM waiting_room_gaps WHERE line_id = p_line AND last = v_next - 1
        RETURNING first INTO v_first;
        EXIT WHEN NOT FOUND;
        v_next := v_first;
    END LOOP;
    UPDATE waiting_room_lines SET next_number = greatest(v_next, serving + 1) WHERE line_id = p_line;
END $$;
