-- Lock a due job and delete it in this transaction; returns no row if another worker has it.
CREATE OR REPLACE FUNCTION job_take(p_account uuid, p_job uuid)
RETURNS TABLE (facts jsonb, created_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    -- The lock of the row claims it: other workers skip it.
    RETURN QUERY DELETE FROM jobs j WHERE j.account_id = p_account AND j.job_id IN (
        SELECT d.job_id FROM jobs d
        WHERE d.account_id = p_account AND d.job_id = p_job AND d.run_at <= now()
        FOR UPDATE SKIP LOCKED)
    RETURNING j.facts, j.created_at;
END $$;
