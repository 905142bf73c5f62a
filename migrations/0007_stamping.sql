-- Documents and stampings: one document gets its stamps.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A document is known by its hash within its account: the same bytes are the same document.
-- The bytes themselves lie encrypted in the object store, and only for a time.
CREATE TABLE documents (
    account_id  uuid        NOT NULL,
    sha256      bytea       NOT NULL,
    name        text        NOT NULL,
    bytes       integer     NOT NULL,
    pages       integer     NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    kept_until  timestamptz NOT NULL,
    forgotten_at timestamptz,
    CONSTRAINT documents_pkey PRIMARY KEY (account_id, sha256),
    CONSTRAINT document_hash_is_sha256 CHECK (octet_length(sha256) = 32)
);
CREATE INDEX documents_to_forget ON documents (kept_until) WHERE forgotten_at IS NULL;

CREATE TABLE stampings (
    account_id      uuid        NOT NULL,
    stamping_id     uuid        NOT NULL,
    order_id        uuid,               -- null: paid from the balance
    position        smallint    NOT NULL DEFAULT 1,  -- within its order
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    sha256_original bytea       NOT NULL,
    placements      jsonb       NOT NULL,
    quantity        smallint    NOT NULL,
    state           text        NOT NULL,
    requested_at    timestamptz NOT NULL DEFAULT now(),
    due_at          timestamptz,        -- reserved and not delivered by then is given back
    leased_until    timestamptz,        -- somebody is sealing; afterwards another may
    tries           integer     NOT NULL DEFAULT 0,
    sha256_stamped  bytea,
    delivered_at    timestamptz,
    refused         text,               -- code of the refusal that ended it
    CONSTRAINT stampings_pkey PRIMARY KEY (account_id, stamping_id),
    CONSTRAINT one_stamping_per_key UNIQUE (account_id, idempotency_key),
    CONSTRAINT stamping_has_its_document
        FOREIGN KEY (account_id, sha256_original) REFERENCES documents,
    CONSTRAINT stamping_has_placements CHECK (quantity = jsonb_array_length(placements)),
    CONSTRAINT stamping_state_is_known
        CHECK (state IN ('waiting', 'reserved', 'delivered', 'failed', 'dropped')),
    CONSTRAINT waiting_stamping_has_an_order CHECK (state <> 'waiting' OR order_id IS NOT NULL),
    CONSTRAINT delivered_stamping_is_complete CHECK (
        (state = 'delivered') = (sha256_stamped IS NOT NULL AND delivered_at IS NOT NULL)),
    CONSTRAINT failed_stamping_says_why CHECK ((state = 'failed') = (refused IS NOT NULL))
);
-- The same document with the same placements, unfinished, is the same request.
CREATE UNIQUE INDEX one_unfinished_stamping_per_request ON stampings (account_id, request_hash)
    WHERE state = 'reserved' AND order_id IS NULL;
CREATE INDEX stampings_to_resume ON stampings (leased_until) WHERE state = 'reserved';
CREATE INDEX stampings_by_order ON stampings (account_id, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE deltas (
    account_id  uuid  NOT NULL,
    stamping_id uuid  NOT NULL,
    sha256      bytea NOT NULL,
    delta       bytea NOT NULL,
    CONSTRAINT deltas_pkey PRIMARY KEY (account_id, stamping_id),
    CONSTRAINT delta_belongs_to_a_stamping
        FOREIGN KEY (account_id, stamping_id) REFERENCES stampings,
    CONSTRAINT delta_is_not_empty CHECK (octet_length(delta) > 0)
);
-- It is compressed already where that helps; trying again would cost processor time.
ALTER TABLE deltas ALTER COLUMN delta SET STORAGE EXTERNAL;

-- Step 1 of 3, from the balance: record the wish, hold the stamps, bind the serials.
-- Refuses `not_enough_stamps`.
CREATE FUNCTION stamping_reserve(
    p_account uuid, p_stamping uuid, p_key text, p_request bytea, p_sha256 bytea,
    p_placements jsonb, p_serials text[], p_due_seconds double precision,
    p_lease_seconds double precision
) RETURNS TABLE (created boolean, id uuid, request bytea)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash,
                           sha256_original, placements, quantity, state, due_at, leased_until)
    VALUES (p_account, p_stamping, p_key, p_request, p_sha256, p_placements,
            jsonb_array_length(p_placements), 'reserved',
            now() + make_interval(secs => p_due_seconds),
            now() + make_interval(secs => p_lease_seconds))
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- The key first: a key that was used for something else must be told apart.
        RETURN QUERY SELECT false, s.stamping_id, s.request_hash FROM stampings s
        WHERE s.account_id = p_account AND (s.idempotency_key = p_key
            OR (s.request_hash = p_request AND s.state = 'reserved' AND s.order_id IS NULL))
        ORDER BY s.idempotency_key = p_key DESC LIMIT 1;
        RETURN;
    END IF;
    PERFORM stamps_hold(p_account, p_stamping, 'stamps_available', NULL, p_serials);
    RETURN QUERY SELECT true, p_stamping, p_request;
END $$;

-- The same for a document that came with its own order, once that is paid.
CREATE FUNCTION stamping_reserve_ordered(
    p_account uuid, p_stamping uuid, p_serials text[], p_due_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order uuid;
BEGIN
    UPDATE stampings SET state = 'reserved', due_at = p_due_at, leased_until = now()
    WHERE account_id = p_account AND stamping_id = p_stamping AND state = 'waiting'
    RETURNING order_id INTO v_order;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM stamps_hold(p_account, p_stamping, 'stamps_ordered', v_order, p_serials);
    RETURN true;
END $$;

-- Step 3 of 3: keep the delta, post the hold, tell the rooms above.  Whoever delivers first
-- wins; a second seal of the same stamping is thrown away and the first is answered.
CREATE FUNCTION stamping_deliver(
    p_account uuid, p_stamping uuid, p_delta bytea, p_delta_sha256 bytea, p_sha256_stamped bytea
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_stamping stampings;
BEGIN
    SELECT * INTO v_stamping FROM stampings
    WHERE account_id = p_account AND stamping_id = p_stamping FOR UPDATE;
    IF v_stamping.state <> 'reserved' THEN
        RETURN v_stamping.state;
    END IF;
    INSERT INTO deltas (account_id, stamping_id, sha256, delta)
    VALUES (p_account, p_stamping, p_delta_sha256, p_delta);
    UPDATE stampings SET state = 'delivered', sha256_stamped = p_sha256_stamped,
        delivered_at = now(), leased_until = NULL
    WHERE account_id = p_account AND stamping_id = p_stamping;
    PERFORM stamps_affix(p_account, p_stamping,
        CASE WHEN v_stamping.order_id IS NULL THEN 'stamps_available' ELSE 'stamps_ordered' END);
    PERFORM emit(p_account, 'stamping_delivered', jsonb_build_object(
        'stamping', p_stamping, 'order', v_stamping.order_id));
    RETURN 'delivered';
END $$;

-- It cannot be done: the stamps go back, and the rooms above hear why.
CREATE FUNCTION stamping_fail(p_account uuid, p_stamping uuid, p_refused text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_stamping stampings;
BEGIN
    SELECT * INTO v_stamping FROM stampings
    WHERE account_id = p_account AND stamping_id = p_stamping FOR UPDATE;
    IF v_stamping.state <> 'reserved' THEN
        RETURN v_stamping.state;
    END IF;
    UPDATE stampings SET state = 'failed', refused = p_refused, leased_until = NULL
    WHERE account_id = p_account AND stamping_id = p_stamping;
    PERFORM stamps_release(p_account, p_stamping);
    PERFORM emit(p_account, 'stamping_failed', jsonb_build_object(
        'stamping', p_stamping, 'order', v_stamping.order_id));
    RETURN 'failed';
END $$;
