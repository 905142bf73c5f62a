-- Returns the stampings of an account that were delivered in a period, or that were requested in it, failed and were
-- not delivered later, with the facts of their documents. One SELECT, so that the planner inlines it into the calling
-- query.
-- Public: used by the room collectors, whose monthly lists are made of these stampings.
CREATE OR REPLACE FUNCTION stampings_told(p_account uuid, p_begins timestamptz, p_ends timestamptz)
RETURNS TABLE (stamping uuid, at timestamptz, document text, state text, refused text, quantity integer, serials text[],
    type text, number text, dated date, value bigint, party_name text, identity_kind text, identity_number text)
LANGUAGE sql STABLE AS $$
    SELECT s.stamping_id, coalesce(s.delivered_at, s.requested_at), d.name, s.state, s.refused, s.quantity,
        ARRAY(SELECT t.serial FROM stamps_shown() t WHERE t.account_id = s.account_id
              AND t.stamping_id = s.stamping_id ORDER BY t.position),
        f.type, f.number, f.dated, f.value, f.party_name, f.identity_kind, f.identity_number
    FROM stampings s
    LEFT JOIN stamping_facts f ON f.account_id = s.account_id AND f.stamping_id = s.stamping_id
    JOIN documents_shown() d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
    WHERE s.account_id = p_account
        AND ((s.delivered_at >= p_begins AND s.delivered_at < p_ends)
            OR (s.state = 'failed' AND s.requested_at >= p_begins AND s.requested_at < p_ends
                AND NOT EXISTS (SELECT 1 FROM stampings o WHERE o.account_id = s.account_id
                    AND o.sha256_original = s.sha256_original AND o.state = 'delivered')))
$$;
