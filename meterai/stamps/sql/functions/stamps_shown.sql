-- All stamps that are held for a document or affixed to it; inlined into the calling query.
-- Public: stamping, which shows a stamping with its serials.
CREATE OR REPLACE FUNCTION stamps_shown()
RETURNS TABLE (account_id uuid, stamping_id uuid, "position" smallint, serial text)
LANGUAGE sql STABLE AS $$
    SELECT t.account_id, t.stamping_id, t.position, t.serial FROM stamps t WHERE t.state <> 'void';
$$;
