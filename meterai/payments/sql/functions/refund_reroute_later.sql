-- A refund whose outcome nobody knows is to go by another way: it is not sent again, and does so once its record does not have
-- it, no sooner than a provider that did not answer a call has ended it.  Answers whether it is one.
CREATE OR REPLACE FUNCTION refund_reroute_later(p_account uuid, p_refund uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    UPDATE refunds SET reroute_at = greatest(v_now, tried_at + interval '10 minutes'), try_at = v_now
    WHERE account_id = p_account AND refund_id = p_refund AND way = 'provider' AND state = ANY ('{sent,accepted}')
        AND reroute_at IS NULL;
    RETURN FOUND;
END $$;
