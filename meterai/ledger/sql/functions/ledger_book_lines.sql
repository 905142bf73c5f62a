-- Every leg of one book of an account in a period, with its entry; credits positive.  One SELECT, so that it is inlined into
-- the calling query.
-- Public: distribution, for its statements.
CREATE OR REPLACE FUNCTION ledger_book_lines(
    p_account uuid, p_book text, p_begin timestamptz, p_end timestamptz
) RETURNS TABLE (posted_at timestamptz, entry_id text, reason text, subject uuid, amount bigint)
LANGUAGE sql STABLE AS $$
    SELECT e.posted_at, e.entry_id, e.reason, e.subject, l.credit - l.debit
    FROM legs l JOIN entries e ON e.account_id = l.account_id AND e.entry_id = l.entry_id
    WHERE l.account_id = p_account AND l.book = p_book AND e.posted_at >= p_begin AND e.posted_at < p_end
$$;
