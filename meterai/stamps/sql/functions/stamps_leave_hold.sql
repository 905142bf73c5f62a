CREATE OR REPLACE FUNCTION stamps_leave_hold(p_account uuid, p_stamping uuid, p_state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stamps_leave_hold_each(p_account, ARRAY[p_stamping], p_state);
END $$;
