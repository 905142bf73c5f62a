-- Finishes a batch whose rows all ended; cancels it if that was requested. Locks the row of the batch first, so that of
-- two workers with its last rows the second sees the changes of the first. Returns the state of the batch.
CREATE OR REPLACE FUNCTION batch_finish(p_account uuid, p_batch uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_delivered integer;
    v_wrong integer;
    v_cancelled integer;
BEGIN
    SELECT b.state INTO v_state FROM batches b
    WHERE b.account_id = p_account AND b.batch_id = p_batch FOR NO KEY UPDATE;
    IF v_state NOT IN ('working', 'cancelling') THEN
        RETURN v_state;
    END IF;
    IF EXISTS (SELECT 1 FROM batch_rows r WHERE r.account_id = p_account AND r.batch_id = p_batch
               AND r.state IN ('waiting', 'reserved')) THEN
        RETURN v_state;
    END IF;
    v_state := CASE v_state WHEN 'working' THEN 'finished' ELSE 'cancelled' END;
    UPDATE batches SET state = v_state, ended_at = now() WHERE account_id = p_account AND batch_id = p_batch;
    SELECT count(*) FILTER (WHERE r.state = 'delivered'), count(*) FILTER (WHERE r.state IN ('refused', 'failed')),
           count(*) FILTER (WHERE r.state = 'cancelled') INTO v_delivered, v_wrong, v_cancelled
    FROM batch_rows r WHERE r.account_id = p_account AND r.batch_id = p_batch;
    PERFORM emit(p_account, 'batch_finished', jsonb_build_object(
        'batch', p_batch, 'state', v_state, 'delivered', v_delivered, 'wrong', v_wrong, 'cancelled', v_cancelled));
    RETURN v_state;
END $$;
