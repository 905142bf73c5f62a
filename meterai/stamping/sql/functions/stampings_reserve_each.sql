-- Reserves documents, each by itself, in one transaction. `p_documents` is a list of objects, with hashes in hex. An
-- unfinished stamping of the same document with the same placements is found instead of a new one. Returns the stamping
-- of each document; no row for a document whose unfinished stamping ended meanwhile, which has to be requested again. No
-- mails are sent about these stampings. Refuses `not_enough_stamps`, and then reserves none.
CREATE OR REPLACE FUNCTION stampings_reserve_each(
    p_account uuid, p_documents jsonb, p_due_seconds double precision, p_lease_seconds double precision
) RETURNS TABLE (asked uuid, id uuid, created boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_made uuid[];
BEGIN
    WITH made AS (
        INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash, sha256_original, placements,
                               quantity, state, due_at, leased_until, is_repaired, is_quiet)
        SELECT p_account, d.stamping, 'own:' || d.stamping, decode(d.request, 'hex'), decode(d.sha256, 'hex'),
               d.placements, jsonb_array_length(d.placements), 'reserved',
               now() + make_interval(secs => p_due_seconds), now() + make_interval(secs => p_lease_seconds),
               d.is_repaired, true
        FROM jsonb_to_recordset(p_documents) AS d (
            stamping uuid, request text, sha256 text, placements jsonb, is_repaired boolean)
        ORDER BY d.request
        ON CONFLICT DO NOTHING
        RETURNING stamping_id, idempotency_key, request_hash
    ), keyed AS (
        INSERT INTO stamping_keys (account_id, idempotency_key, request_hash, stampings)
        SELECT p_account, m.idempotency_key, m.request_hash, ARRAY[m.stamping_id] FROM made m
    )
    SELECT coalesce(array_agg(m.stamping_id), '{}') INTO v_made FROM made m;
    PERFORM stamps_hold_each(p_account, 'stamps_available', NULL, array_agg(d.stamping ORDER BY d.stamping, s.place),
                             array_agg(s.serial ORDER BY d.stamping, s.place))
    FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, serials text[])
    CROSS JOIN unnest(d.serials) WITH ORDINALITY AS s (serial, place) WHERE d.stamping = ANY (v_made);
    RETURN QUERY SELECT one, one, true FROM unnest(v_made) AS one
    UNION ALL
    SELECT d.stamping, s.stamping_id, false
    FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, request text)
    JOIN stampings s ON s.account_id = p_account AND s.request_hash = decode(d.request, 'hex')
        AND s.state = 'reserved' AND s.order_id IS NULL
    WHERE d.stamping <> ALL (v_made);
END $$;
