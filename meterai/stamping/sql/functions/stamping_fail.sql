-- Fails a stamping whose document cannot be stamped: returns the stamps and emits the event with the reason.
CREATE OR REPLACE FUNCTION stamping_fail(p_account uuid, p_stamping uuid, p_refused text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_stamping stampings;
BEGIN
    SELECT * INTO v_stamping FROM stampings
    WHERE account_id = p_account AND stamping_id = p_stamping FOR UPDATE;
    IF v_stamping.state <> 'reserved' THEN
        RETURN v_stamping.state;
    END IF;
    UPDATE stampings SET state = 'failed', refused = p_refused, leased_until = NULL
    WHERE account_id = p_account AND stamping_id = p_stamping;
    PERFORM stamps_release(p_account, p_stamping);
    PERFORM member_stamps_return(
        p_account, coalesce(v_stamping.order_id, p_stamping), v_stamping.quantity);
    PERFORM emit(p_account, 'stamping_failed', jsonb_build_object(
        'stamping', p_stamping, 'order', v_stamping.order_id));
    RETURN 'failed';
END $$;
