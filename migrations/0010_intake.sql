-- A document is kept and its stamps reserved in one round trip; a repaired document says so.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What came in was broken: what was kept, hashed and stamped is what the repair made of it.
ALTER TABLE stampings ADD COLUMN is_repaired boolean NOT NULL DEFAULT false;

-- Remember a document whose bytes lie in the object store; the name it is called by.
CREATE FUNCTION document_keep(
    p_account uuid, p_sha256 bytea, p_name text, p_bytes integer, p_pages integer,
    p_kept_until timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
BEGIN
    INSERT INTO documents (account_id, sha256, name, bytes, pages, kept_until)
    VALUES (p_account, p_sha256, p_name, p_bytes, p_pages, p_kept_until)
    ON CONFLICT ON CONSTRAINT documents_pkey DO UPDATE
    SET kept_until = greatest(documents.kept_until, excluded.kept_until), forgotten_at = NULL
    RETURNING documents.name INTO v_name;
    RETURN v_name;
END $$;

-- The same as before, and the document with it.  A web process that is a version behind gives
-- the first nine parameters only: it has kept the document by itself.
DROP FUNCTION stamping_reserve(
    uuid, uuid, text, bytea, bytea, jsonb, text[], double precision, double precision);
CREATE FUNCTION stamping_reserve(
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
BEGIN
    IF p_name IS NOT NULL THEN
        v_name := document_keep(p_account, p_sha256, p_name, p_bytes, p_pages, p_kept_until);
    END IF;
    INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash,
                           sha256_original, placements, quantity, state, due_at, leased_until,
                           is_repaired)
    VALUES (p_account, p_stamping, p_key, p_request, p_sha256, p_placements,
            jsonb_array_length(p_placements), 'reserved', v_due_at,
            now() + make_interval(secs => p_lease_seconds), p_is_repaired)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- The key first: a key that was used for something else must be told apart.
        RETURN QUERY SELECT false, s.stamping_id, s.request_hash, v_name, s.requested_at, s.due_at
        FROM stampings s
        WHERE s.account_id = p_account AND (s.idempotency_key = p_key
            OR (s.request_hash = p_request AND s.state = 'reserved' AND s.order_id IS NULL))
        ORDER BY s.idempotency_key = p_key DESC LIMIT 1;
        RETURN;
    END IF;
    PERFORM stamps_hold(p_account, p_stamping, 'stamps_available', NULL, p_serials);
    RETURN QUERY SELECT true, p_stamping, p_request, v_name, now(), v_due_at;
END $$;

-- The same as before, and when; `is_ours` where this very seal was delivered, not an earlier one.
DROP FUNCTION stamping_deliver(uuid, uuid, bytea, bytea, bytea);
CREATE FUNCTION stamping_deliver(
    p_account uuid, p_stamping uuid, p_delta bytea, p_delta_sha256 bytea, p_sha256_stamped bytea
) RETURNS TABLE (state text, delivered_at timestamptz, is_ours boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_stamping stampings;
BEGIN
    SELECT * INTO v_stamping FROM stampings s
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping FOR UPDATE;
    IF v_stamping.state <> 'reserved' THEN
        RETURN QUERY SELECT v_stamping.state, v_stamping.delivered_at, false;
        RETURN;
    END IF;
    INSERT INTO deltas (account_id, stamping_id, sha256, delta)
    VALUES (p_account, p_stamping, p_delta_sha256, p_delta);
    UPDATE stampings s SET state = 'delivered', sha256_stamped = p_sha256_stamped,
        delivered_at = now(), leased_until = NULL
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping;
    PERFORM stamps_affix(p_account, p_stamping,
        CASE WHEN v_stamping.order_id IS NULL THEN 'stamps_available' ELSE 'stamps_ordered' END);
    PERFORM emit(p_account, 'stamping_delivered', jsonb_build_object(
        'stamping', p_stamping, 'order', v_stamping.order_id));
    RETURN QUERY SELECT 'delivered'::text, now(), true;
END $$;
