-- Every leg of a period with its entry; credits positive.  One SELECT, so that it is inlined into the calling query.
-- Public: finance, for its statements.
CREATE OR REPLACE FUNCTION ledger_lines(p_begin timestamptz, p_end timestamptz)
RETURNS TABLE (
    account_id uuid, entry_id text, reason text, subject uuid, posted_at timestamptz, book text, amount bigint
)
LANGUAGE sql STABLE AS $$
    SELECT e.account_id, e.entry_id, e.reason, e.subject, e.posted_at, l.book, l.credit - l.debit
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.posted_at >= p_begin AND e.posted_at < p_end
$$;
