-- Every entry of a period as one line of text (a JSON array), which never changes for an entry.
-- Public: finance, which hashes and exports a day.
CREATE OR REPLACE FUNCTION ledger_journal(p_begin timestamptz, p_end timestamptz)
RETURNS TABLE (posted_at timestamptz, account_id uuid, entry_id text, line text)
LANGUAGE sql STABLE AS $$
    SELECT e.posted_at, e.account_id, e.entry_id, json_build_array(
        to_char(e.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.account_id, e.entry_id, e.reason, e.subject,
        json_object_agg(l.book, l.credit - l.debit ORDER BY l.book COLLATE "C"))::text
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.posted_at >= p_begin AND e.posted_at < p_end
    GROUP BY e.account_id, e.entry_id
$$;
