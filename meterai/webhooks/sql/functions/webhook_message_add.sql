-- Queues a message to an endpoint. A message to a disabled endpoint is kept undelivered; one to a removed endpoint is
-- dropped.
CREATE OR REPLACE FUNCTION webhook_message_add(
    p_account uuid, p_endpoint uuid, p_message uuid, p_type text, p_body text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v     webhook_endpoints;
BEGIN
    -- Locked, since disabling or removing the endpoint changes its messages too.
    SELECT * INTO v FROM webhook_endpoints WHERE account_id = p_account AND endpoint_id = p_endpoint FOR SHARE;
    IF v.state IS NULL OR v.state = 'removed' THEN
        RETURN;
    END IF;
    INSERT INTO webhook_messages (account_id, message_id, endpoint_id, type, body, state, made_at, try_at, is_aside)
    VALUES (p_account, p_message, p_endpoint, p_type, p_body,
        CASE v.state WHEN 'enabled' THEN 'waiting' ELSE 'undelivered' END, v_now, v_now, v.is_aside);
END $$;
