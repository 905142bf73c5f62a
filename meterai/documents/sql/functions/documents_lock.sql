-- Lock documents in the same order for every caller, so that concurrent requests cannot deadlock.
-- Public: stamping, which holds stamps for several of them at once.
CREATE OR REPLACE FUNCTION documents_lock(p_account uuid, p_sha256 bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM documents d WHERE d.account_id = p_account AND d.sha256 = ANY (p_sha256)
    ORDER BY d.sha256 FOR UPDATE;
END $$;
