-- Insert entries of a draw; false if the draw is not announced.  The caller holds a lock that prevents the closing.
-- Public: the waiting room, which holds a lock on the line.
CREATE OR REPLACE FUNCTION draw_enter(p_draw uuid, p_entries bytea[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM waiting_room_draws WHERE line_id = p_draw) THEN
        RETURN false;
    END IF;
    INSERT INTO waiting_room_entries (line_id, entry, entered_at)
    SELECT p_draw, entry, clock_timestamp() FROM unnest(p_entries) AS entry
    ON CONFLICT ON CONSTRAINT waiting_room_entries_pkey DO NOTHING;
    RETURN true;
END $$;
