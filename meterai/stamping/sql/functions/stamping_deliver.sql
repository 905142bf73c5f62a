CREATE OR REPLACE FUNCTION stamping_deliver(
    p_account uuid, p_stamping uuid, p_delta bytea, p_delta_sha256 bytea, p_sha256_stamped bytea
) RETURNS TABLE (state text, delivered_at timestamptz, is_ours boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_stamping stampings;
BEGIN
    SELECT * INTO v_stamping FROM stampings s
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping FOR UPDATE;
    IF v_stamping.state <> 'reserved' THEN
        RETURN QUERY SELECT v_stamping.state, v_stamping.delivered_at, false;
        RETURN;
    END IF;
    INSERT INTO deltas (account_id, stamping_id, sha256, delta)
    VALUES (p_account, p_stamping, p_delta_sha256, p_delta);
    UPDATE stampings s SET state = 'delivered', sha256_stamped = p_sha256_stamped,
        delivered_at = now(), leased_until = NULL
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping;
    PERFORM stamps_affix(p_account, p_stamping,
        CASE WHEN v_stamping.order_id IS NULL THEN 'stamps_available' ELSE 'stamps_ordered' END);
    PERFORM emit(p_account, 'stamping_delivered', jsonb_build_object(
        'stamping', p_stamping, 'order', v_stamping.order_id));
    RETURN QUERY SELECT 'delivered'::text, now(), true;
END $$;
