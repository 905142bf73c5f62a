-- Reserves the stamping of a document with its own order, after the payment of that order.
CREATE OR REPLACE FUNCTION stamping_reserve_ordered(
    p_account uuid, p_stamping uuid, p_serials text[], p_due_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order uuid;
BEGIN
    UPDATE stampings SET state = 'reserved', due_at = p_due_at, leased_until = now()
    WHERE account_id = p_account AND stamping_id = p_stamping AND state = 'waiting'
    RETURNING order_id INTO v_order;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM stamps_hold(p_account, p_stamping, 'stamps_ordered', v_order, p_serials);
    RETURN true;
END $$;
