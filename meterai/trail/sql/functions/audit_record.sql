-- Record an act, in its transaction.
-- Public: every room, since hot commands are one function each.
CREATE OR REPLACE FUNCTION audit_record(
    p_account uuid, p_actor text, p_action text, p_subject text, p_facts jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_events (account_id, actor, action, subject, facts)
    VALUES (p_account, p_actor, p_action, p_subject, p_facts);
END $$;
