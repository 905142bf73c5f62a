-- Stamps: lots that an order issued, and the serials that were bound to documents.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Global, one row: whether the issuer can issue.  A reference table when distributed.
CREATE TABLE issuing (
    only_row   boolean     NOT NULL DEFAULT true CONSTRAINT issuing_pkey PRIMARY KEY,
    is_open    boolean     NOT NULL DEFAULT true,
    reason     text        NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT issuing_has_one_row CHECK (only_row)
);
INSERT INTO issuing DEFAULT VALUES;

-- What one paid order brought.  A lot says of each of its stamps where it is.
CREATE TABLE stamp_lots (
    account_id  uuid        NOT NULL,
    lot_id      uuid        NOT NULL,  -- the order's id
    book        text        NOT NULL,
    unit_price  bigint      NOT NULL,
    service_fee bigint      NOT NULL,
    issued      integer     NOT NULL,
    held        integer     NOT NULL DEFAULT 0,
    affixed     integer     NOT NULL DEFAULT 0,
    returned    integer     NOT NULL DEFAULT 0,
    issued_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stamp_lots_pkey PRIMARY KEY (account_id, lot_id),
    CONSTRAINT lot_is_in_a_stamp_book CHECK (book IN ('stamps_available', 'stamps_ordered')),
    CONSTRAINT lot_is_not_overdrawn CHECK (
        issued > 0 AND held >= 0 AND affixed >= 0 AND returned >= 0
        AND issued >= held + affixed + returned)
);

CREATE TABLE stamps (
    account_id  uuid        NOT NULL,
    serial      text        NOT NULL,
    stamping_id uuid        NOT NULL,
    lot_id      uuid        NOT NULL,
    position    smallint    NOT NULL,  -- which placement of the stamping, from 1
    state       text        NOT NULL DEFAULT 'reserved',
    reserved_at timestamptz NOT NULL DEFAULT now(),
    affixed_at  timestamptz,
    voided_at   timestamptz,
    CONSTRAINT stamps_pkey PRIMARY KEY (account_id, serial),
    CONSTRAINT stamp_comes_from_a_lot FOREIGN KEY (account_id, lot_id) REFERENCES stamp_lots,
    CONSTRAINT one_stamp_per_placement UNIQUE (account_id, stamping_id, position),
    CONSTRAINT serial_is_well_formed CHECK (serial ~ '^[0-9A-HJKMNP-TV-Z]{22}$'),
    CONSTRAINT stamp_is_in_one_state CHECK (
        CASE state
            WHEN 'reserved' THEN affixed_at IS NULL AND voided_at IS NULL
            WHEN 'affixed' THEN affixed_at IS NOT NULL AND voided_at IS NULL
            WHEN 'void' THEN affixed_at IS NULL AND voided_at IS NOT NULL
            ELSE false
        END)
);
CREATE INDEX stamps_by_serial ON stamps (serial);

-- Global: whose serial this is.  Filled from the outbox; its key proves that no serial was
-- ever given out twice.
CREATE TABLE serial_directory (
    serial     text CONSTRAINT serial_directory_pkey PRIMARY KEY,
    account_id uuid NOT NULL
);

-- Bring a lot into being.  Answers false while issuing is stopped.
CREATE FUNCTION stamps_issue(
    p_account uuid, p_lot uuid, p_book text, p_quantity integer, p_price bigint, p_fee bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT is_open FROM issuing) THEN
        RETURN false;
    END IF;
    INSERT INTO stamp_lots (account_id, lot_id, book, unit_price, service_fee, issued)
    VALUES (p_account, p_lot, p_book, p_price, p_fee, p_quantity);
    RETURN true;
END $$;

-- Hold stamps for one stamping and bind its serials.  Oldest lots first, or one lot only.
-- Refuses `not_enough_stamps`.
CREATE FUNCTION stamps_hold(
    p_account uuid, p_stamping uuid, p_book text, p_lot uuid, p_serials text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_needed integer := cardinality(p_serials);
    v_available bigint;
    v_given integer := 0;
    v_take integer;
    v_lot stamp_lots;
BEGIN
    -- The balance row is locked first and lots after it, always: two stampings of one account
    -- wait for each other here and never in a circle.
    SELECT posted - held INTO v_available FROM balances
    WHERE account_id = p_account AND book = p_book FOR UPDATE;
    IF coalesce(v_available, 0) < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', coalesce(v_available, 0)));
    END IF;
    PERFORM ledger_hold(p_account, p_stamping, p_book, v_needed, p_stamping::text);
    FOR v_lot IN
        SELECT * FROM stamp_lots
        WHERE account_id = p_account AND book = p_book AND lot_id = coalesce(p_lot, lot_id)
            AND issued > held + affixed + returned
        ORDER BY lot_id FOR UPDATE
    LOOP
        v_take := least(v_needed - v_given,
                        v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned);
        UPDATE stamp_lots SET held = held + v_take
        WHERE account_id = p_account AND lot_id = v_lot.lot_id;
        INSERT INTO stamps (account_id, serial, stamping_id, lot_id, position)
        SELECT p_account, p_serials[place], p_stamping, v_lot.lot_id, place
        FROM generate_series(v_given + 1, v_given + v_take) AS place;
        v_given := v_given + v_take;
        EXIT WHEN v_given = v_needed;
    END LOOP;
    IF v_given < v_needed THEN
        PERFORM refuse('not_enough_stamps', jsonb_build_object(
            'needed', v_needed, 'available', v_given));
    END IF;
END $$;

-- The stamps of a stamping are on the document.  For stamps bought with named documents this
-- is also when their money is executed.  Answers false if it was done before.
CREATE FUNCTION stamps_affix(p_account uuid, p_stamping uuid, p_book text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
    v_price bigint;
    v_fee bigint;
    v_subject uuid := p_stamping;
    v_books text[];
    v_amounts bigint[];
BEGIN
    IF NOT ledger_resolve(p_account, p_stamping, 'posted') THEN
        RETURN false;
    END IF;
    SELECT count(*), sum(l.unit_price), sum(l.service_fee) INTO v_count, v_price, v_fee
    FROM stamps s JOIN stamp_lots l USING (account_id, lot_id)
    WHERE s.account_id = p_account AND s.stamping_id = p_stamping AND s.state = 'reserved';
    v_books := ARRAY[p_book, 'stamps_affixed'];
    v_amounts := ARRAY[-v_count, v_count];
    IF p_book = 'stamps_ordered' THEN
        v_books := v_books || ARRAY['buyer_funds', 'duty_payable', 'service_fee'];
        v_amounts := v_amounts || ARRAY[-v_price - v_fee, v_price, v_fee];
        v_subject := (SELECT lot_id FROM stamps WHERE account_id = p_account
                      AND stamping_id = p_stamping AND position = 1);
    END IF;
    PERFORM ledger_post(p_account, 'affixed:' || p_stamping, 'stamps_affixed',
                        v_subject, v_books, v_amounts);
    PERFORM stamps_leave_hold(p_account, p_stamping, 'affixed');
    RETURN true;
END $$;

-- The stamping will not happen: the stamps go back where they came from, the serials are void.
CREATE FUNCTION stamps_release(p_account uuid, p_stamping uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ledger_resolve(p_account, p_stamping, 'voided') THEN
        RETURN false;
    END IF;
    PERFORM stamps_leave_hold(p_account, p_stamping, 'void');
    RETURN true;
END $$;

CREATE FUNCTION stamps_leave_hold(p_account uuid, p_stamping uuid, p_state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stamp_lots l SET
        held = l.held - s.taken,
        affixed = l.affixed + CASE WHEN p_state = 'affixed' THEN s.taken ELSE 0 END
    FROM (SELECT lot_id, count(*)::integer AS taken FROM stamps
          WHERE account_id = p_account AND stamping_id = p_stamping AND state = 'reserved'
          GROUP BY lot_id) s
    WHERE l.account_id = p_account AND l.lot_id = s.lot_id;
    UPDATE stamps SET
        state = p_state,
        affixed_at = CASE WHEN p_state = 'affixed' THEN now() END,
        voided_at = CASE WHEN p_state = 'void' THEN now() END
    WHERE account_id = p_account AND stamping_id = p_stamping AND state = 'reserved';
END $$;

-- Take unused stamps of a lot out of the world; the caller moves the money.  Answers how many.
CREATE FUNCTION stamps_return(p_account uuid, p_lot uuid) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_lot stamp_lots;
    v_free integer;
BEGIN
    -- The balance first, as in stamps_hold.
    PERFORM 1 FROM balances b JOIN stamp_lots l USING (account_id, book)
    WHERE b.account_id = p_account AND l.lot_id = p_lot FOR UPDATE OF b;
    SELECT * INTO v_lot FROM stamp_lots
    WHERE account_id = p_account AND lot_id = p_lot FOR UPDATE;
    v_free := coalesce(v_lot.issued - v_lot.held - v_lot.affixed - v_lot.returned, 0);
    IF v_free > 0 THEN
        UPDATE stamp_lots SET returned = returned + v_free
        WHERE account_id = p_account AND lot_id = p_lot;
    END IF;
    RETURN v_free;
END $$;
