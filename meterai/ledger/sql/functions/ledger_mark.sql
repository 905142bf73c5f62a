-- Version number of the money of a subject: it changes whenever the money moves, since entries are only added.
-- Public: orders, whose version tag includes it.
CREATE OR REPLACE FUNCTION ledger_mark(p_account uuid, p_subject uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM entries WHERE account_id = p_account AND subject = p_subject;
$$;
