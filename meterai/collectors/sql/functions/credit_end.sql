-- Ends a waiting draw whose order was given up or whose time is over. Returns false if the draw was taken.
CREATE OR REPLACE FUNCTION credit_end(p_account uuid, p_draw uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    PERFORM 1 FROM collectors WHERE account_id = p_account FOR UPDATE;
    UPDATE credit_draws SET state = 'ended', ended_at = v_now
    WHERE account_id = p_account AND draw_id = p_draw AND state = 'waiting';
    RETURN NOT EXISTS (SELECT 1 FROM credit_draws
                       WHERE account_id = p_account AND draw_id = p_draw AND state = 'taken');
END $$;
