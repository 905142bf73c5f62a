-- Time of the first entry; null if there is none.  It reads every entry.
-- Public: finance, which counts from there on.
CREATE OR REPLACE FUNCTION ledger_begins() RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT min(posted_at) FROM entries;
$$;
