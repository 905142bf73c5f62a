-- Makes the draw of an attempt: it is taken at once, or waits behind earlier waiting draws. The same attempt finds the
-- same draw. Returns the reason of waiting, '' if the draw was taken, null if the account is no longer a collector.
CREATE OR REPLACE FUNCTION credit_draw(
    p_account uuid, p_draw uuid, p_amount bigint, p_stop_day integer, p_free_months integer
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_draw credit_draws;
    v_why text;
    v_now timestamptz := now();
BEGIN
    -- Serializes the draws of one collector, so that two cannot take the same rupiah.
    PERFORM 1 FROM collectors WHERE account_id = p_account FOR UPDATE;
    SELECT * INTO v_draw FROM credit_draws WHERE account_id = p_account AND draw_id = p_draw;
    IF v_draw.state IN ('taken', 'ended') THEN
        RETURN CASE v_draw.state WHEN 'taken' THEN '' END;
    END IF;
    v_why := credit_stops(p_account, p_amount, p_stop_day, p_free_months);
    IF v_why = 'closed' THEN
        RETURN NULL;
    END IF;
    IF v_draw.draw_id IS NOT NULL THEN
        RETURN coalesce(v_why, 'limit');
    END IF;
    IF v_why IS NULL AND EXISTS (SELECT 1 FROM credit_draws WHERE account_id = p_account AND state = 'waiting') THEN
        v_why := 'limit';
    END IF;
    INSERT INTO credit_draws (account_id, draw_id, amount, state, month, taken_at)
    VALUES (p_account, p_draw, p_amount, CASE WHEN v_why IS NULL THEN 'taken' ELSE 'waiting' END,
            CASE WHEN v_why IS NULL THEN credit_month(v_now) END, CASE WHEN v_why IS NULL THEN v_now END)
    RETURNING * INTO v_draw;
    IF v_why IS NULL THEN
        PERFORM credit_post(v_draw);
    END IF;
    RETURN coalesce(v_why, '');
END $$;
