-- Write an event as one job for each of its handlers.  It uses a loop, since with tables distributed by account the
-- rows of an INSERT from a SELECT would be copied through the coordinator.
CREATE OR REPLACE FUNCTION emit(p_account uuid, p_kind text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_handler text;
BEGIN
    FOREACH v_handler IN ARRAY coalesce(subscribers(p_kind), ARRAY['']) LOOP
        IF v_handler = 'publish' THEN
            -- Of an account that asks for nothing no job is written: it pays for one look into an index.
            PERFORM FROM listeners WHERE account_id = p_account AND kind IN (p_kind, '*');
            CONTINUE WHEN NOT FOUND;
        END IF;
        INSERT INTO jobs (account_id, kind, handler, handlers, facts)
        VALUES (p_account, p_kind, v_handler, ARRAY[v_handler], p_facts);
    END LOOP;
END $$;
