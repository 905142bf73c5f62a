-- Another number whenever the money of a subject moved: entries are only added.
-- Public: orders, which says so of its own.
CREATE OR REPLACE FUNCTION ledger_mark(p_account uuid, p_subject uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM entries WHERE account_id = p_account AND subject = p_subject;
$$;
