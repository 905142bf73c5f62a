-- The books: double entry in two units, rupiah (IDR) and stamps (STAMP).
--
--   IDR    bank_clearing    what the provider holds for us (system; a sum of legs)
--          buyer_funds      captured, neither executed nor on its way back (guarded)
--          refunds_payable  on its way back (guarded)
--          duty_payable     executed: stamp duty owed to the Treasury (system)
--          service_fee      executed: our fee (system)
--          denied_loss      the issuer took money back after its stamp was used (system)
--   STAMP  stamps_issued    counterpart of every stamp that exists (system)
--          stamps_available bought as quota, not used (guarded)
--          stamps_ordered   bought for named documents, not affixed yet (guarded)
--          stamps_affixed   on a document (system)
--
-- A credit is positive, a debit negative.  Guarded books of an account are rows that cannot go
-- below zero, holds counted; system books have no row that everyone would wait for.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE FUNCTION unit_of(p_book text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE
        WHEN p_book IN ('bank_clearing', 'buyer_funds', 'refunds_payable', 'duty_payable',
                        'service_fee', 'denied_loss') THEN 'IDR'
        WHEN p_book IN ('stamps_issued', 'stamps_available', 'stamps_ordered',
                        'stamps_affixed') THEN 'STAMP'
    END
$$;

CREATE FUNCTION is_guarded(p_book text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT p_book IN ('buyer_funds', 'refunds_payable', 'stamps_available', 'stamps_ordered')
$$;

CREATE TABLE entries (
    account_id uuid        NOT NULL,
    entry_id   text        NOT NULL,  -- made from the cause, so a repeat cannot post twice
    reason     text        NOT NULL,
    subject    uuid        NOT NULL,  -- the order whose money this is, or the stamping
    posted_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_pkey PRIMARY KEY (account_id, entry_id)
);
CREATE INDEX entries_by_subject ON entries (account_id, subject);

CREATE TABLE legs (
    account_id uuid   NOT NULL,
    entry_id   text   NOT NULL,
    book       text   NOT NULL,
    unit       text   NOT NULL,
    debit      bigint NOT NULL DEFAULT 0,
    credit     bigint NOT NULL DEFAULT 0,
    CONSTRAINT legs_pkey PRIMARY KEY (account_id, entry_id, book),
    CONSTRAINT leg_has_its_entry FOREIGN KEY (account_id, entry_id) REFERENCES entries,
    CONSTRAINT leg_is_one_sided
        CHECK ((debit > 0 AND credit = 0) OR (debit = 0 AND credit > 0)),
    CONSTRAINT leg_is_in_the_unit_of_its_book CHECK (unit = unit_of(book))
);

CREATE TABLE balances (
    account_id uuid   NOT NULL,
    book       text   NOT NULL,
    posted     bigint NOT NULL DEFAULT 0,
    held       bigint NOT NULL DEFAULT 0,
    CONSTRAINT balances_pkey PRIMARY KEY (account_id, book),
    CONSTRAINT balance_is_of_a_guarded_book CHECK (is_guarded(book)),
    CONSTRAINT balance_covers_its_holds CHECK (posted >= held AND held >= 0)
);

CREATE TABLE holds (
    account_id  uuid        NOT NULL,
    hold_id     uuid        NOT NULL,
    book        text        NOT NULL,
    amount      bigint      NOT NULL,
    state       text        NOT NULL DEFAULT 'held',
    subject     text        NOT NULL,
    held_at     timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    CONSTRAINT holds_pkey PRIMARY KEY (account_id, hold_id),
    CONSTRAINT hold_has_an_amount CHECK (amount > 0),
    CONSTRAINT hold_state_is_known CHECK (state IN ('held', 'posted', 'voided', 'expired')),
    CONSTRAINT hold_is_resolved_once CHECK ((state = 'held') = (resolved_at IS NULL))
);

-- Post one entry.  Returns true if it is new, false if the same entry exists; refuses
-- `entry_differs` if the id is taken by other legs, and `entry_unbalanced`.
CREATE FUNCTION ledger_post(
    p_account uuid, p_entry text, p_reason text, p_subject uuid,
    p_books text[], p_amounts bigint[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_book text;
    v_amount bigint;
BEGIN
    IF EXISTS (
        SELECT 1 FROM unnest(p_books, p_amounts) AS leg (book, amount)
        GROUP BY unit_of(leg.book) HAVING sum(leg.amount) <> 0 OR unit_of(leg.book) IS NULL
    ) THEN
        PERFORM refuse('entry_unbalanced', jsonb_build_object('entry', p_entry));
    END IF;
    INSERT INTO entries (account_id, entry_id, reason, subject)
    VALUES (p_account, p_entry, p_reason, p_subject)
    ON CONFLICT ON CONSTRAINT entries_pkey DO NOTHING;
    IF NOT FOUND THEN
        IF EXISTS (
            SELECT book, amount FROM unnest(p_books, p_amounts) AS leg (book, amount)
            WHERE amount <> 0
            EXCEPT
            SELECT book, credit - debit FROM legs
            WHERE account_id = p_account AND entry_id = p_entry
        ) THEN
            PERFORM refuse('entry_differs', jsonb_build_object('entry', p_entry));
        END IF;
        RETURN false;
    END IF;
    FOR v_book, v_amount IN
        -- Always in the order of the books, so two entries never wait for each other.
        SELECT book, amount FROM unnest(p_books, p_amounts) AS leg (book, amount)
        WHERE amount <> 0 ORDER BY book
    LOOP
        INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
        VALUES (p_account, p_entry, v_book, unit_of(v_book),
                greatest(-v_amount, 0), greatest(v_amount, 0));
        IF is_guarded(v_book) THEN
            PERFORM ledger_move(p_account, v_book, v_amount, 0);
        END IF;
    END LOOP;
    RETURN true;
END $$;

-- Change a guarded balance and what is held of it.  The constraint balance_covers_its_holds
-- says no; there is no EXCEPTION block, which would cost a subtransaction on every posting.
CREATE FUNCTION ledger_move(p_account uuid, p_book text, p_posted bigint, p_held bigint)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET posted = posted + p_posted, held = held + p_held
    WHERE account_id = p_account AND book = p_book;
    IF NOT FOUND THEN
        INSERT INTO balances (account_id, book, posted, held)
        VALUES (p_account, p_book, p_posted, p_held)
        ON CONFLICT ON CONSTRAINT balances_pkey DO UPDATE
        SET posted = balances.posted + p_posted, held = balances.held + p_held;
    END IF;
END $$;

-- Hold part of a balance.  A repeat of the same hold changes nothing.
CREATE FUNCTION ledger_hold(
    p_account uuid, p_hold uuid, p_book text, p_amount bigint, p_subject text
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO holds (account_id, hold_id, book, amount, subject)
    VALUES (p_account, p_hold, p_book, p_amount, p_subject)
    ON CONFLICT ON CONSTRAINT holds_pkey DO NOTHING;
    IF FOUND THEN
        PERFORM ledger_move(p_account, p_book, 0, p_amount);
    END IF;
END $$;

-- Resolve a hold exactly once; returns false if it was resolved before.  The entry that moves a
-- posted amount is written by the caller after this, in the same transaction.
CREATE FUNCTION ledger_resolve(p_account uuid, p_hold uuid, p_state text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_hold holds;
BEGIN
    UPDATE holds SET state = p_state, resolved_at = now()
    WHERE account_id = p_account AND hold_id = p_hold AND state = 'held'
    RETURNING * INTO v_hold;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger_move(p_account, v_hold.book, 0, -v_hold.amount);
    RETURN true;
END $$;
