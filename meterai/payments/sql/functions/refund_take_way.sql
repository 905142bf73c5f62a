-- Change the way of a refund of which nothing was sent: by its provider, or to a bank account that the buyer is asked to name;
-- an account named for other money is not used.  Answers false if the way was not changed.
CREATE OR REPLACE FUNCTION refund_take_way(p_account uuid, p_refund uuid, p_way text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    UPDATE refunds SET way = p_way, try_at = CASE p_way WHEN 'provider' THEN v_now ELSE 'infinity' END,
        wanted_at = CASE p_way WHEN 'claim' THEN v_now END
    WHERE account_id = p_account AND refund_id = p_refund AND state = 'requested' AND way <> p_way
        AND NOT transfer_is_open(p_account, transfer_id);
    IF FOUND AND p_way = 'claim' THEN
        PERFORM refund_want_account(p_account, p_refund);
        RETURN true;
    END IF;
    RETURN FOUND;
END $$;
