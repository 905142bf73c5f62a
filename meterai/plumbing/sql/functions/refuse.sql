-- Raise a refusal: its code and its facts.  See plumbing/db/transactions.py.
CREATE OR REPLACE FUNCTION refuse(p_code text, p_facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001', MESSAGE = p_code, DETAIL = p_facts::text;
END $$;
