-- Make the next try of an open refund, or of the transfer that carries it, due at once.  Answers false if there is no such
-- refund or transfer.
CREATE OR REPLACE FUNCTION refund_retry(p_account uuid, p_refund uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE refunds SET try_at = now() WHERE account_id = p_account AND refund_id = p_refund
        AND way = 'provider' AND refund_is_open(state);
    IF NOT FOUND THEN
        UPDATE transfers t SET try_at = now() FROM refunds r
        WHERE r.account_id = p_account AND r.refund_id = p_refund AND refund_is_open(r.state)
            AND t.account_id = p_account AND t.transfer_id = r.transfer_id
            AND t.state = ANY ('{planned,sent,accepted}');
    END IF;
    RETURN FOUND;
END $$;
