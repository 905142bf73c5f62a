-- Columns of a document that pages and answers show; the planner inlines the query.
-- Public: stamping, which shows a stamping with its document.
CREATE OR REPLACE FUNCTION documents_shown()
RETURNS TABLE (account_id uuid, sha256 bytea, name text, kept_until timestamptz, is_forgotten boolean)
LANGUAGE sql STABLE AS $$
    SELECT d.account_id, d.sha256, d.name, d.kept_until, d.forgotten_at IS NOT NULL FROM documents d;
$$;
