-- Every key of a stamping is remembered; the stamps of one request are held together or not at
-- all; and a database knows the object store that its originals lie in.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What an Idempotency-Key stands for: one row for each key that was taken, whether its request
-- made a stamping or joined one that was unfinished.  The row is written before anything else of
-- the request, so that two requests with one key wait for each other here.
--
-- Stampings that were made before this table have their key in stampings.idempotency_key alone;
-- they are found by it, and get their row here when somebody asks again.
CREATE TABLE stamping_keys (
    account_id      uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    stampings       uuid[]      NOT NULL,  -- of the request, in the order of its documents
    used_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stamping_keys_pkey PRIMARY KEY (account_id, idempotency_key),
    CONSTRAINT key_stands_for_a_stamping CHECK (cardinality(stampings) > 0)
);

-- The stamping of one document: the new one, or the one that is there already, under the same key
-- or unfinished under another.
CREATE FUNCTION stamping_begin(
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
        -- The key first: a key that was used for something else must be told apart.
        SELECT s.stamping_id INTO v_found FROM stampings s
        WHERE s.account_id = p_account AND (s.idempotency_key = p_key
            OR (s.request_hash = p_request AND s.state = 'reserved' AND s.order_id IS NULL))
        ORDER BY s.idempotency_key = p_key DESC LIMIT 1;
        IF FOUND THEN
            RETURN v_found;
        END IF;
        -- The unfinished one ended between the two statements: this request makes a new one.
    END LOOP;
END $$;

-- The same as before, and a key that joins an unfinished stamping is remembered like the one
-- that made it.
--
-- Whoever locks more than one of these takes them in this order: documents (by hash), key,
-- stampings (by request), balance, lots.
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

-- Several documents of one request: all their stamps are held, or nothing happened.
-- `p_documents` is a list of objects in the order of the request; hashes are hex.  Answers one row
-- for each stamping of the key, in that order.
-- Refuses `not_enough_stamps`, and `idempotency_key_reused` where a document was sent under this
-- key before, with other placements.
CREATE FUNCTION stampings_reserve(
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
    v_needed bigint := 0;
    v_available bigint;
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
        -- The key of each document is the one that the form gave it when it sent one by one.
        v_one := stamping_begin(
            p_account, v_document.stamping, p_key || ':' || v_document.sha256,
            decode(v_document.request, 'hex'), decode(v_document.sha256, 'hex'),
            v_document.placements, v_due_at, p_lease_seconds, v_document.is_repaired);
        v_found[v_document.place] := v_one;
        IF v_one = v_document.stamping THEN
            v_made := v_made || v_one;
            v_needed := v_needed + jsonb_array_length(v_document.placements);
        ELSIF NOT EXISTS (
            SELECT 1 FROM stampings s WHERE s.account_id = p_account AND s.stamping_id = v_one
                AND s.request_hash = decode(v_document.request, 'hex')
        ) THEN
            PERFORM refuse('idempotency_key_reused');
        END IF;
    END LOOP;

    -- Asked of the whole request, so that what is refused says what the whole request needs.
    SELECT posted - held INTO v_available FROM balances
    WHERE account_id = p_account AND book = 'stamps_available' FOR UPDATE;
    IF coalesce(v_available, 0) < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', coalesce(v_available, 0)));
    END IF;
    FOR v_document IN
        SELECT * FROM jsonb_to_recordset(p_documents) AS d (stamping uuid, serials text[])
        WHERE d.stamping = ANY (v_made)
    LOOP
        PERFORM stamps_hold(p_account, v_document.stamping, 'stamps_available', NULL,
                            v_document.serials);
    END LOOP;
    UPDATE stamping_keys SET stampings = v_found
    WHERE account_id = p_account AND idempotency_key = p_key AND stampings <> v_found;
    RETURN QUERY SELECT one = ANY (v_made), one, p_request
    FROM unnest(v_found) WITH ORDINALITY AS u (one, place) ORDER BY place;
END $$;

-- Global, one row: the object store that the originals of this database lie in.  The store has the
-- same id under a name of its own; a process that finds another one looks into another folder.
CREATE TABLE object_store (
    only_row  boolean     NOT NULL DEFAULT true CONSTRAINT object_store_pkey PRIMARY KEY,
    store_id  uuid        NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT object_store_has_one_row CHECK (only_row)
);
