-- Reserves the documents of one request: holds all their stamps, or changes nothing. `p_documents` is a list of objects
-- in the order of the request, with hashes in hex. Returns one row for each stamping of the key, in that order. Refuses
-- `not_enough_stamps`, and `idempotency_key_reused` if a document came with this key before, with other placements.
CREATE OR REPLACE FUNCTION stampings_reserve(
    p_account uuid, p_key text, p_request bytea, p_documents jsonb,
    p_due_seconds double precision, p_lease_seconds double precision
) RETURNS TABLE (created boolean, id uuid, request bytea)
LANGUAGE plpgsql AS $$
DECLARE
    v_due_at timestamptz := now() + make_interval(secs => p_due_seconds);
    v_document record;
    v_made uuid[] := '{}';
    v_found uuid[] := '{}';
    v_one uuid;
BEGIN
    FOR v_document IN
        SELECT * FROM jsonb_to_recordset(p_documents) AS d (
            sha256 text, name text, bytes integer, pages integer, kept_until timestamptz)
        ORDER BY d.sha256
    LOOP
        PERFORM document_keep(p_account, decode(v_document.sha256, 'hex'), v_document.name,
                              v_document.bytes, v_document.pages, v_document.kept_until);
    END LOOP;

    INSERT INTO stamping_keys (account_id, idempotency_key, request_hash, stampings)
    SELECT p_account, p_key, p_request, array_agg((one->>'stamping')::uuid ORDER BY place)
    FROM jsonb_array_elements(p_documents) WITH ORDINALITY AS d (one, place)
    ON CONFLICT ON CONSTRAINT stamping_keys_pkey DO NOTHING;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, one, k.request_hash
        FROM stamping_keys k CROSS JOIN unnest(k.stampings) WITH ORDINALITY AS u (one, place)
        WHERE k.account_id = p_account AND k.idempotency_key = p_key ORDER BY place;
        RETURN;
    END IF;

    FOR v_document IN
        SELECT place, d.* FROM jsonb_array_elements(p_documents) WITH ORDINALITY AS e (one, place),
            jsonb_to_record(one) AS d (
                stamping uuid, request text, sha256 text, placements jsonb, is_repaired boolean)
        ORDER BY d.request
    LOOP
        -- A form that sends the documents one by one derives the same key for each of them.
        v_one := stamping_begin(
            p_account, v_document.stamping, p_key || ':' || v_document.sha256,
            decode(v_document.request, 'hex'), decode(v_document.sha256, 'hex'),
            v_document.placements, v_due_at, p_lease_seconds, v_document.is_repaired);
        v_found[v_document.place] := v_one;
        IF v_one = v_document.stamping THEN
            v_made := v_made || v_one;
        ELSIF NOT EXISTS (
            SELECT 1 FROM stampings s WHERE s.account_id = p_account AND s.stamping_id = v_one
                AND s.request_hash = decode(v_document.request, 'hex')
        ) THEN
            PERFORM refuse('idempotency_key_reused');
        END IF;
    END LOOP;

    PERFORM stamps_hold_each(p_account, 'stamps_available', NULL, array_agg(d.stamping ORDER BY d.stamping, s.place),
                             array_agg(s.serial ORDER BY d.stamping, s.place))
    FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, serials text[])
    CROSS JOIN unnest(d.serials) WITH ORDINALITY AS s (serial, place) WHERE d.stamping = ANY (v_made);
    UPDATE stamping_keys SET stampings = v_found
    WHERE account_id = p_account AND idempotency_key = p_key AND stampings <> v_found;
    RETURN QUERY SELECT one = ANY (v_made), one, p_request
    FROM unnest(v_found) WITH ORDINALITY AS u (one, place) ORDER BY place;
END $$;
