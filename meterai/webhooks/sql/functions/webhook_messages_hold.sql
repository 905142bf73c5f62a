-- Locks the waiting messages of an endpoint whose row is locked, in the order in which attempts are recorded. The
-- common order prevents a deadlock of two workers.
CREATE OR REPLACE FUNCTION webhook_messages_hold(p_account uuid, p_endpoint uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM webhook_messages WHERE account_id = p_account AND endpoint_id = p_endpoint AND state = 'waiting'
    ORDER BY message_id FOR UPDATE;
END $$;
