-- Records an act in the audit trail, in the transaction of the act.
-- Public: every room, since a command that must be fast is one SQL function, which calls this one.
CREATE OR REPLACE FUNCTION audit_record(
    p_account uuid, p_actor text, p_action text, p_subject text, p_facts jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_events (account_id, actor, action, subject, facts)
    VALUES (p_account, p_actor, p_action, p_subject, p_facts);
END $$;
