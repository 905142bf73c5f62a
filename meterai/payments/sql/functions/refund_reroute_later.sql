-- Mark a refund whose outcome is unknown to be rerouted: it is not sent again, and is rerouted if the provider's record does
-- not have it at `reroute_at`, by which time the provider must have ended an unanswered call.  Answers false for any other
-- refund.
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
