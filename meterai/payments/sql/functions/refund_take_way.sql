-- A refund of which nothing was sent goes by another way: by a transfer where its buyer has named an account, else it waits
-- for one.  Answers whether it does now.
CREATE OR REPLACE FUNCTION refund_take_way(p_account uuid, p_refund uuid, p_way text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v_way text := p_way;
BEGIN
    IF p_way <> 'provider' THEN
        v_way := CASE WHEN payee_is_named(p_account) THEN 'transfer' ELSE 'claim' END;
    END IF;
    UPDATE refunds SET way = v_way, try_at = CASE v_way WHEN 'provider' THEN v_now ELSE 'infinity' END,
        wanted_at = CASE v_way WHEN 'claim' THEN v_now END
    WHERE account_id = p_account AND refund_id = p_refund AND state = 'requested' AND way <> v_way
        AND NOT transfer_is_open(p_account, transfer_id);
    IF FOUND AND v_way = 'claim' THEN
        PERFORM refund_want_account(p_account, p_refund);
        RETURN true;
    END IF;
    RETURN FOUND;
END $$;
