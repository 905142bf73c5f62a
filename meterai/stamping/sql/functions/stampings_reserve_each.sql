-- Documents that are stamped each for itself, in one transaction: `p_documents` is a list of objects, hashes are hex.
-- A document that is being stamped with the same placements is found in place of a new stamping.  Answers for each
-- which stamping it is; nothing for one whose other stamping ended at this moment: it is asked for again.
-- No mail tells of them.  Refuses `not_enough_stamps`, and then reserved none.
CREATE OR REPLACE FUNCTION stampings_reserve_each(
    p_account uuid, p_documents jsonb, p_due_seconds double precision, p_lease_seconds double precision
) RETURNS TABLE (asked uuid, id uuid, created boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_document record;
    v_made uuid[];
    v_needed bigint;
    v_available bigint;
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
        RETURNING stamping_id, idempotency_key, request_hash, quantity
    ), keyed AS (
        INSERT INTO stamping_keys (account_id, idempotency_key, request_hash, stampings)
        SELECT p_account, m.idempotency_key, m.request_hash, ARRAY[m.stamping_id] FROM made m
    )
    SELECT coalesce(array_agg(m.stamping_id), '{}'), coalesce(sum(m.quantity), 0) INTO v_made, v_needed FROM made m;
    -- Asked of all of them, so that a refusal says what all of them need.
    v_available := ledger_free(p_account, 'stamps_available');
    IF coalesce(v_available, 0) < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', coalesce(v_available, 0)));
    END IF;
    FOR v_document IN
        SELECT * FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, serials text[])
        WHERE d.stamping = ANY (v_made)
    LOOP
        PERFORM stamps_hold(p_account, v_document.stamping, 'stamps_available', NULL, v_document.serials);
    END LOOP;
    RETURN QUERY
    SELECT d.stamping, s.stamping_id, s.stamping_id = d.stamping
    FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, request text)
    JOIN stampings s ON s.account_id = p_account AND (s.stamping_id = d.stamping
        OR (d.stamping <> ALL (v_made) AND s.request_hash = decode(d.request, 'hex')
            AND s.state = 'reserved' AND s.order_id IS NULL));
END $$;
