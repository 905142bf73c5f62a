-- Takes waiting draws, strictly the oldest first, at most `p_most`. Returns their number.
CREATE OR REPLACE FUNCTION credit_take_waiting(
    p_account uuid, p_most integer, p_stop_day integer, p_free_months integer
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_draw credit_draws;
    v_now timestamptz := now();
    v_taken integer := 0;
BEGIN
    PERFORM 1 FROM collectors WHERE account_id = p_account FOR UPDATE;
    LOOP
        SELECT * INTO v_draw FROM credit_draws WHERE account_id = p_account AND state = 'waiting'
        ORDER BY made_at, draw_id LIMIT 1;
        EXIT WHEN NOT FOUND OR v_taken = p_most
            OR credit_stops(p_account, v_draw.amount, p_stop_day, p_free_months) IS NOT NULL;
        UPDATE credit_draws SET state = 'taken', taken_at = v_now, month = credit_month(v_now)
        WHERE account_id = p_account AND draw_id = v_draw.draw_id RETURNING * INTO v_draw;
        PERFORM credit_post(v_draw);
        v_taken := v_taken + 1;
    END LOOP;
    RETURN v_taken;
END $$;
