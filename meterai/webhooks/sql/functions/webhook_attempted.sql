-- Records an attempt with its consequences for the message and the endpoint. Returns the state of the endpoint.
--
-- p_wait: seconds until the next attempt, null if there is none; p_failing and p_failed: an endpoint is disabled if all
-- attempts failed for so many seconds, for at least so many messages; p_is_held: true if the caller has locked the
-- endpoint, else its row is not changed.
CREATE OR REPLACE FUNCTION webhook_attempted(
    p_account uuid, p_endpoint uuid, p_message uuid, p_began timestamptz, p_ms integer, p_status integer, p_answer bytea,
    p_failure text, p_wait double precision, p_is_slow boolean, p_is_held boolean, p_failing double precision, p_failed integer,
    p_aside double precision) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := now();
    v_gone CONSTANT integer := 410;
    v_why text;
    v_stop uuid;
    m     webhook_messages;
    e     webhook_endpoints;
BEGIN
    SELECT * INTO e FROM webhook_endpoints WHERE account_id = p_account AND endpoint_id = p_endpoint;
    SELECT * INTO m FROM webhook_messages WHERE account_id = p_account AND message_id = p_message FOR UPDATE;
    IF m.state IS NULL THEN
        RETURN e.state;  -- erased meanwhile
    END IF;
    INSERT INTO webhook_attempts (account_id, message_id, number, began_at, ms, status, answer, failure)
    VALUES (p_account, p_message, m.attempts + 1, p_began, p_ms, p_status, p_answer, p_failure);
    IF p_failure IS NULL THEN
        UPDATE webhook_messages SET state = 'delivered', delivered_at = coalesce(delivered_at, v_now),
            attempts = attempts + 1, tries = tries + 1
        WHERE account_id = p_account AND message_id = p_message;
    ELSE
        -- A message stopped meanwhile, or delivered by another worker, keeps its state.
        UPDATE webhook_messages SET attempts = attempts + 1, tries = tries + 1,
            state = CASE WHEN m.state = 'waiting' AND p_wait IS NULL THEN 'undelivered' ELSE m.state END,
            try_at = v_now + make_interval(secs => coalesce(p_wait, 0))
        WHERE account_id = p_account AND message_id = p_message;
    END IF;

    IF NOT p_is_held THEN
        RETURN e.state;
    END IF;
    IF p_failure IS NULL AND e.failing_since IS NOT NULL THEN
        UPDATE webhook_endpoints SET failing_since = NULL, failed_messages = 0
        WHERE account_id = p_account AND endpoint_id = p_endpoint;
    ELSIF p_failure IS NOT NULL THEN
        e.failing_since := coalesce(e.failing_since, p_began);
        e.failed_messages := e.failed_messages + (m.tries = 0)::integer;
        UPDATE webhook_endpoints SET failing_since = e.failing_since, failed_messages = e.failed_messages
        WHERE account_id = p_account AND endpoint_id = p_endpoint;
        v_why := CASE WHEN p_status = v_gone THEN 'gone'
            WHEN e.failing_since <= v_now - make_interval(secs => p_failing) AND e.failed_messages >= p_failed
                THEN 'failing' END;
        IF v_why IS NOT NULL AND e.state = 'enabled' THEN
            PERFORM webhook_stop(p_account, p_endpoint, 'disabled', v_why);
            v_stop := gen_random_uuid();
            PERFORM audit_record(p_account, 'job:webhooks', 'webhook_stopped', 'whk_' || lower(compact(p_endpoint)),
                jsonb_build_object('why', v_why, 'stop', v_stop));
            PERFORM emit(p_account, 'webhook_disabled',
                jsonb_build_object('endpoint', p_endpoint, 'why', v_why, 'stop', v_stop));
            e.state := 'disabled';
        END IF;
    END IF;

    IF e.state <> 'enabled' THEN
        RETURN e.state;
    ELSIF p_is_slow AND NOT e.is_aside THEN
        UPDATE webhook_endpoints SET is_aside = true, aside_since = v_now, tried_at = v_now
        WHERE account_id = p_account AND endpoint_id = p_endpoint;
        PERFORM webhook_messages_hold(p_account, p_endpoint);
        UPDATE webhook_messages SET is_aside = true
        WHERE account_id = p_account AND endpoint_id = p_endpoint AND state = 'waiting' AND NOT is_aside;
    ELSIF e.is_aside AND (p_is_slow OR e.aside_since > v_now - make_interval(secs => p_aside)) THEN
        UPDATE webhook_endpoints SET tried_at = v_now WHERE account_id = p_account AND endpoint_id = p_endpoint;
    ELSIF e.is_aside THEN
        UPDATE webhook_endpoints SET is_aside = false, aside_since = NULL, tried_at = NULL
        WHERE account_id = p_account AND endpoint_id = p_endpoint;
        PERFORM webhook_messages_hold(p_account, p_endpoint);
        UPDATE webhook_messages SET is_aside = false
        WHERE account_id = p_account AND endpoint_id = p_endpoint AND state = 'waiting' AND is_aside;
    END IF;
    RETURN e.state;
END $$;
