-- One job for each handler of an event: what fails stops no neighbour and counts its own tries.
--
-- `emit` asks `subscribers`, which scripts/subscriptions.py writes from the handlers of the rooms;
-- a test compares the two.  A function, not a table: it costs nothing to ask, and the audit knows its text.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The handlers of an event; none where nobody listens, null where no such event is declared.
CREATE OR REPLACE FUNCTION subscribers(p_event text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_event
        WHEN 'money_to_return' THEN ARRAY['return_money']
        WHEN 'notification_received' THEN ARRAY['take_from_inbox']
        WHEN 'order_denied' THEN ARRAY['drop_waiting']
        WHEN 'order_executed' THEN ARRAY['tell_executed']
        WHEN 'order_lapsed' THEN ARRAY[]::text[]
        WHEN 'order_paid' THEN ARRAY['reserve']
        WHEN 'order_returned' THEN ARRAY[]::text[]
        WHEN 'order_returning' THEN ARRAY['drop_waiting']
        WHEN 'order_withdrawn' THEN ARRAY['drop_waiting']
        WHEN 'payment_captured' THEN ARRAY['settle']
        WHEN 'payment_declined' THEN ARRAY['offer_again']
        WHEN 'payment_denied' THEN ARRAY['take_chargeback']
        WHEN 'payment_refunded' THEN ARRAY['take_refund_news']
        WHEN 'refund_requested' THEN ARRAY['tell_requested']
        WHEN 'refund_settled' THEN ARRAY['tell_settled']
        WHEN 'sign_in_asked' THEN ARRAY['queue_sign_in_code']
        WHEN 'stamping_delivered' THEN ARRAY['enter_directory', 'finish_order', 'tell_delivered']
        WHEN 'stamping_failed' THEN ARRAY['finish_order', 'tell_failed', 'return_unstamped']
    END;
$$;

ALTER TABLE jobs ADD COLUMN handler text;
COMMENT ON COLUMN jobs.handler IS 'The one handler this job is for; empty: the event is not declared.';
COMMENT ON COLUMN jobs.handlers IS
    'For workers of the version before, which read only this: the handler alone.';

-- A loop: distributed by account, an INSERT from a SELECT would be copied by way of the coordinator.
CREATE OR REPLACE FUNCTION emit(p_account uuid, p_kind text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_handler text;
BEGIN
    FOREACH v_handler IN ARRAY coalesce(subscribers(p_kind), ARRAY['']) LOOP
        INSERT INTO jobs (account_id, kind, handler, handlers, facts)
        VALUES (p_account, p_kind, v_handler, ARRAY[v_handler], p_facts);
    END LOOP;
END $$;

-- Jobs of before: each becomes one for every handler that has not run.
WITH old AS (DELETE FROM jobs RETURNING *)
INSERT INTO jobs (account_id, kind, handler, handlers, facts, created_at, run_at, tries, last_fault)
SELECT account_id, kind, one, ARRAY[one], facts, created_at, run_at, tries, last_fault
FROM old, unnest(coalesce(handlers, subscribers(kind), ARRAY[''])) AS one;
ALTER TABLE jobs ALTER COLUMN handler SET NOT NULL;

-- Handlers of one job that were given up come back as jobs of their own.
UPDATE dead_jobs d SET job_id = gen_random_uuid() WHERE EXISTS (
    SELECT 1 FROM dead_jobs o WHERE o.account_id = d.account_id AND o.job_id = d.job_id
    AND o.handler < d.handler);
