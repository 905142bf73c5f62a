-- Record that a draft was ordered, or stamped from the balance (no order), with all its files.  False if it was
-- done before; null, without an effect, if the draft has other files too.
CREATE OR REPLACE FUNCTION draft_finish(p_draft uuid, p_order uuid, p_ordered uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM drafts WHERE draft_id = p_draft AND NOT is_done FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT 1 FROM draft_files WHERE draft_id = p_draft AND file_id <> ALL (p_ordered)) THEN
        RETURN NULL;
    END IF;
    UPDATE drafts SET is_done = true, order_id = p_order WHERE draft_id = p_draft;
    UPDATE draft_files SET state = 'ordered', content_id = NULL WHERE draft_id = p_draft;
    RETURN true;
END $$;
