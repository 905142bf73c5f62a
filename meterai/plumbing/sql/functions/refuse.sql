-- How a function says no: the code of a refusal and its facts.  See plumbing/database.py.
CREATE OR REPLACE FUNCTION refuse(p_code text, p_facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001', MESSAGE = p_code, DETAIL = p_facts::text;
END $$;
