-- From now on the documents of an account must say what the law asks of a collector, or need not any more.
-- Public: collectors, who are approved and closed.
CREATE OR REPLACE FUNCTION facts_demand(p_account uuid, p_is_demanded boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_is_demanded THEN
        INSERT INTO facts_demanded (account_id) VALUES (p_account)
        ON CONFLICT ON CONSTRAINT facts_demanded_pkey DO NOTHING;
    ELSE
        DELETE FROM facts_demanded WHERE account_id = p_account;
    END IF;
END $$;
