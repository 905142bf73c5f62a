-- Disables or removes an endpoint. Its waiting messages are kept undelivered.
CREATE OR REPLACE FUNCTION webhook_stop(p_account uuid, p_endpoint uuid, p_state text, p_why text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
BEGIN
    UPDATE webhook_endpoints SET state = p_state, why = p_why, moved_at = v_now, is_aside = false, aside_since = NULL,
        tried_at = NULL, secret = CASE WHEN p_state <> 'removed' THEN secret END,
        secret_before = CASE WHEN p_state <> 'removed' THEN secret_before END,
        before_until = CASE WHEN p_state <> 'removed' THEN before_until END
    WHERE account_id = p_account AND endpoint_id = p_endpoint;
    PERFORM webhook_messages_hold(p_account, p_endpoint);
    UPDATE webhook_messages SET state = 'undelivered', is_aside = false
    WHERE account_id = p_account AND endpoint_id = p_endpoint AND state = 'waiting';
END $$;
