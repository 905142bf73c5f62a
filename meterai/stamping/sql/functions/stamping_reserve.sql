-- Reserves a stamping from the balance, or finds the existing one. A key that joins an unfinished stamping is stored
-- like the key that made it.
--
-- Transactions that lock several of these lock them in this order: documents (by hash), key, stampings (by request),
-- balance, lots.
CREATE OR REPLACE FUNCTION stamping_reserve(
    p_account uuid, p_stamping uuid, p_key text, p_request bytea, p_sha256 bytea,
    p_placements jsonb, p_serials text[], p_due_seconds double precision,
    p_lease_seconds double precision, p_name text DEFAULT NULL, p_bytes integer DEFAULT NULL,
    p_pages integer DEFAULT NULL, p_kept_until timestamptz DEFAULT NULL,
    p_is_repaired boolean DEFAULT false
) RETURNS TABLE (created boolean, id uuid, request bytea, name text, requested_at timestamptz,
                 due_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
    v_due_at timestamptz := now() + make_interval(secs => p_due_seconds);
    v_found uuid := p_stamping;
BEGIN
    IF p_name IS NOT NULL THEN
        v_name := document_keep(p_account, p_sha256, p_name, p_bytes, p_pages, p_kept_until);
    END IF;
    INSERT INTO stamping_keys (account_id, idempotency_key, request_hash, stampings)
    VALUES (p_account, p_key, p_request, ARRAY[p_stamping])
    ON CONFLICT ON CONSTRAINT stamping_keys_pkey DO NOTHING;
    IF FOUND THEN
        v_found := stamping_begin(p_account, p_stamping, p_key, p_request, p_sha256, p_placements,
                                  v_due_at, p_lease_seconds, p_is_repaired);
        IF v_found = p_stamping THEN
            PERFORM stamps_hold(p_account, p_stamping, 'stamps_available', NULL, p_serials);
            RETURN QUERY SELECT true, p_stamping, p_request, v_name, now(), v_due_at;
            RETURN;
        END IF;
        UPDATE stamping_keys k SET stampings = ARRAY[v_found], request_hash = s.request_hash
        FROM stampings s
        WHERE k.account_id = p_account AND k.idempotency_key = p_key
            AND s.account_id = p_account AND s.stamping_id = v_found;
    END IF;
    RETURN QUERY SELECT false, s.stamping_id, k.request_hash, v_name, s.requested_at, s.due_at
    FROM stamping_keys k JOIN stampings s
        ON s.account_id = k.account_id AND s.stamping_id = k.stampings[1]
    WHERE k.account_id = p_account AND k.idempotency_key = p_key;
END $$;
