-- Demands from now on that the documents of an account state all facts that the law demands of a collector, or ends
-- that demand.
-- Public: used by the room collectors, when an account becomes a collector or ceases to be one.
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
