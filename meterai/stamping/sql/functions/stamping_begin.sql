-- Returns the id of the stamping of one document: a new one, the existing one of the same key, or an unfinished one of
-- another key for the same request.
CREATE OR REPLACE FUNCTION stamping_begin(
    p_account uuid, p_stamping uuid, p_key text, p_request bytea, p_sha256 bytea,
    p_placements jsonb, p_due_at timestamptz, p_lease_seconds double precision,
    p_is_repaired boolean
) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_found uuid;
BEGIN
    LOOP
        INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash,
                               sha256_original, placements, quantity, state, due_at, leased_until,
                               is_repaired)
        VALUES (p_account, p_stamping, p_key, p_request, p_sha256, p_placements,
                jsonb_array_length(p_placements), 'reserved', p_due_at,
                now() + make_interval(secs => p_lease_seconds), p_is_repaired)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN p_stamping;
        END IF;
        -- The stamping of the key is searched first, so that a key that another request used is refused.
        SELECT s.stamping_id INTO v_found FROM stampings s
        WHERE s.account_id = p_account AND (s.idempotency_key = p_key
            OR (s.request_hash = p_request AND s.state = 'reserved' AND s.order_id IS NULL))
        ORDER BY s.idempotency_key = p_key DESC LIMIT 1;
        IF FOUND THEN
            RETURN v_found;
        END IF;
        -- The unfinished stamping ended between the two statements: this request makes a new one.
    END LOOP;
END $$;
