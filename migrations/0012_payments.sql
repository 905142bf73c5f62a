-- Payments: questions that go on as long as the provider keeps its record, QRs that are taken back
-- there, a bound on what one account may leave unpaid, and a suspense book for money and news that
-- nobody can place yet.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Seconds until the next try: p_first, twice that, ... up to p_longest.  The exponent has a bound
-- of its own: 2 ^ 1024 is an error, and a counter of tries has no end.  The same in kit/backoff.py.
CREATE OR REPLACE FUNCTION backoff_seconds(
    p_first double precision, p_tries integer, p_longest double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT least(p_first * 2.0::double precision ^ least(greatest(p_tries, 0), 40), p_longest)
$$;

-- -- the suspense book ------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION unit_of(p_book text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE
        WHEN p_book IN ('bank_clearing', 'buyer_funds', 'refunds_payable', 'duty_payable',
                        'service_fee', 'denied_loss', 'suspense') THEN 'IDR'
        WHEN p_book IN ('stamps_issued', 'stamps_available', 'stamps_ordered',
                        'stamps_affixed') THEN 'STAMP'
    END
$$;

-- Global: what a provider told us and nobody can place, before it is known whose it is.  Money that
-- surely came (a payment that succeeded, with its number and a sum in rupiah) is in the ledger's
-- book `suspense` as long as its item is open; everything else is kept as it was told.
CREATE TABLE suspense_items (
    item_id     uuid        CONSTRAINT suspense_items_pkey PRIMARY KEY,
    item_key    text        NOT NULL,  -- made from the news: told again, it is the same item
    source      text        NOT NULL,
    reason      text        NOT NULL,
    reference   text,                  -- of the attempt, as it was told
    payment     text,                  -- the provider's number of the payment, as it was told
    amount      bigint,                -- rupiah, where they could be read
    booked      bigint      NOT NULL DEFAULT 0,  -- of it, in the book while the item is open
    told        bytea       NOT NULL,  -- the news itself
    owner       text        NOT NULL DEFAULT 'operator',  -- who is to resolve it
    state       text        NOT NULL DEFAULT 'open',
    opened_at   timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL,
    told_at     timestamptz NOT NULL DEFAULT now(),  -- the last time
    times_told  integer     NOT NULL DEFAULT 1,
    resolved_at timestamptz,
    resolution  text,
    resolved_by text,
    note        text        NOT NULL DEFAULT '',
    CONSTRAINT one_item_per_news UNIQUE (item_key),
    CONSTRAINT suspense_source_is_known CHECK (source IN ('notification', 'question')),
    CONSTRAINT suspense_reason_is_known CHECK (reason IN
        ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
         'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
         'denial_ambiguous', 'id_conflict', 'refunded_there')),
    CONSTRAINT suspense_state_is_known CHECK (state IN ('open', 'resolved')),
    CONSTRAINT suspense_resolution_is_known
        CHECK (resolution IN ('explained', 'returned', 'dismissed')),
    CONSTRAINT suspense_amount_is_positive CHECK (amount > 0),
    CONSTRAINT suspense_books_what_was_told CHECK (booked = 0 OR booked = amount),
    CONSTRAINT resolved_item_says_how CHECK ((state = 'resolved') =
        (resolved_at IS NOT NULL AND resolution IS NOT NULL AND resolved_by IS NOT NULL))
);
CREATE INDEX suspense_items_open ON suspense_items (due_at) WHERE state = 'open';
CREATE INDEX suspense_items_of_no_reference ON suspense_items (payment)
    WHERE state = 'open' AND reference IS NULL AND booked > 0;
CREATE INDEX suspense_items_by_reference ON suspense_items (reference) WHERE state = 'open';

-- Keep news that nobody can place; with p_is_money its sum goes into the book.  Answers false where
-- it was told before: then nothing is booked again.  The same payment with another sum is an item
-- of its own, for somebody to look at, and books nothing.
CREATE FUNCTION suspense_keep(
    p_item uuid, p_key text, p_source text, p_reason text, p_reference text, p_payment text,
    p_amount bigint, p_is_money boolean, p_told bytea, p_due_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_known bigint;
BEGIN
    INSERT INTO suspense_items (item_id, item_key, source, reason, reference, payment, amount,
                                booked, told, due_at)
    VALUES (p_item, p_key, p_source, p_reason, p_reference, p_payment, p_amount,
            CASE WHEN p_is_money THEN p_amount ELSE 0 END, p_told,
            now() + make_interval(secs => p_due_seconds))
    ON CONFLICT ON CONSTRAINT one_item_per_news DO NOTHING;
    IF FOUND THEN
        IF p_is_money THEN
            -- It is of no account, so it is under the nil account, and `suspense` is a sum of legs.
            PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'suspended:' || p_item,
                'money_suspended', p_item,
                ARRAY['bank_clearing', 'suspense'], ARRAY[-p_amount, p_amount]);
        END IF;
        RETURN true;
    END IF;
    UPDATE suspense_items SET told_at = now(), times_told = times_told + 1
    WHERE item_key = p_key
    RETURNING amount INTO v_known;
    IF v_known IS DISTINCT FROM p_amount THEN
        RETURN suspense_keep(p_item, p_key || ':' || coalesce(p_amount::text, 'none'), p_source,
            CASE WHEN p_is_money THEN 'amount_differs' ELSE p_reason END, p_reference, p_payment,
            p_amount, false, p_told, p_due_seconds);
    END IF;
    RETURN false;
END $$;

-- Say how an open item ended.  Money in the book leaves it as `returned` (the provider has given it
-- back to its payer) or as `explained` (it is being captured for its order), and is never dismissed.
-- Answers 'resolved', 'known' (it was resolved before), 'unknown', or 'money_is_booked'.
CREATE FUNCTION suspense_resolve(p_item uuid, p_resolution text, p_by text, p_note text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_item suspense_items;
BEGIN
    SELECT * INTO v_item FROM suspense_items WHERE item_id = p_item FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF v_item.state = 'resolved' THEN
        RETURN 'known';
    END IF;
    IF v_item.booked > 0 AND p_resolution = 'dismissed' THEN
        RETURN 'money_is_booked';
    END IF;
    UPDATE suspense_items SET state = 'resolved', resolved_at = now(), resolution = p_resolution,
        resolved_by = p_by, note = p_note
    WHERE item_id = p_item;
    IF v_item.booked > 0 THEN
        PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'unsuspended:' || p_item,
            'suspense_' || p_resolution, p_item,
            ARRAY['suspense', 'bank_clearing'], ARRAY[-v_item.booked, v_item.booked]);
    END IF;
    RETURN 'resolved';
END $$;

-- A payment is being captured: money of it that was told without any reference leaves the book, in
-- the same transaction.
CREATE FUNCTION suspense_captured(p_payment text, p_amount bigint) RETURNS void
LANGUAGE sql AS $$
    SELECT suspense_resolve(item_id, 'explained', 'payments', 'captured') FROM suspense_items
    WHERE state = 'open' AND booked = p_amount AND reference IS NULL AND payment = p_payment;
$$;

-- -- attempts ---------------------------------------------------------------------------------------

ALTER TABLE payment_attempts
    ADD COLUMN tries integer NOT NULL DEFAULT 0,  -- to open it, without an answer we could use
    ADD COLUMN last_answer text,                  -- what the provider said instead
    ADD COLUMN is_perhaps_made boolean NOT NULL DEFAULT false,  -- a QR may exist at the provider
    -- 0: somebody may be waiting for this answer; 1: it is only to be learned some time.
    ADD COLUMN ask_rank smallint NOT NULL DEFAULT 0,
    -- When to take the QR of a closed attempt back at the provider; 'infinity' when that is done.
    ADD COLUMN cancel_at timestamptz NOT NULL DEFAULT 'epoch',
    ADD COLUMN cancel_tries integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT ask_rank_is_known CHECK (ask_rank IN (0, 1));

-- QRs that ended before today take no money any more; who is not waited for is asked later; and
-- questions that had ended go on, spread over a day.
UPDATE payment_attempts SET
    cancel_at = CASE WHEN expires_at < now() - interval '1 day' THEN 'infinity' ELSE cancel_at END,
    ask_rank = CASE WHEN state IN ('opening', 'waiting') THEN 0 ELSE 1 END,
    ask_at = CASE
        WHEN state IN ('opening', 'waiting') OR ask_at < 'infinity' THEN ask_at
        WHEN opened_at < now() - interval '45 days' OR qr_content IS NULL THEN ask_at
        ELSE now() + make_interval(
            secs => 86400.0 * abs(hashtext(attempt_id::text)::bigint) / 2147483648.0)
    END
WHERE state <> 'opening';

DROP INDEX payment_attempts_to_ask;
CREATE INDEX payment_attempts_to_ask ON payment_attempts (ask_rank, ask_at)
    WHERE state <> 'opening' AND ask_at < 'infinity';
CREATE INDEX payment_attempts_to_cancel ON payment_attempts (cancel_at)
    WHERE state IN ('lost', 'expired', 'cancelled', 'declined') AND cancel_at < 'infinity';
-- A notification must name the provider's number of a QR and may leave ours out.
CREATE INDEX payment_attempts_by_provider_reference ON payment_attempts (provider_reference)
    WHERE provider_reference IS NOT NULL;

-- When to ask again about an attempt: ever less often, up to once an hour and, after two days or
-- once it is paid, once a day, until the provider's record of it ends.
CREATE FUNCTION payment_next_question(
    p_state text, p_opened_at timestamptz, p_asked integer, p_first_seconds double precision,
    p_window_seconds double precision
) RETURNS timestamptz
LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE
        WHEN p_opened_at < now() - make_interval(secs => p_window_seconds) THEN 'infinity'
        ELSE now() + make_interval(secs => backoff_seconds(p_first_seconds, p_asked,
            CASE WHEN p_state = 'paid' OR p_opened_at < now() - interval '2 days'
                 THEN 86400 ELSE 3600 END))
    END
$$;

-- The provider says that it has made a QR under this reference, and we cannot show it: it is never
-- shown, but still asked about and taken back.  Another attempt takes its place after a pause that
-- grows with their number.  Answers 'replaced', 'closed' (nothing to replace), or 'spent': the
-- subject has had p_attempts_max attempts.
DROP FUNCTION payment_replace(uuid, uuid, uuid, text, double precision);
CREATE FUNCTION payment_replace(
    p_account uuid, p_lost uuid, p_attempt uuid, p_reference text, p_first_seconds double precision,
    p_attempts_max integer DEFAULT 10
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_lost payment_attempts;
    v_attempts integer;
BEGIN
    UPDATE payment_attempts SET state = 'lost', ask_at = now() + make_interval(secs => 5),
        ask_rank = 1, is_perhaps_made = true
    WHERE account_id = p_account AND attempt_id = p_lost AND state = 'opening'
    RETURNING * INTO v_lost;
    IF NOT FOUND OR v_lost.expires_at <= now() THEN
        RETURN 'closed';
    END IF;
    SELECT count(*) INTO v_attempts FROM payment_attempts
    WHERE account_id = p_account AND subject = v_lost.subject;
    IF v_attempts >= p_attempts_max THEN
        RETURN 'spent';
    END IF;
    PERFORM payment_open(p_account, p_attempt, v_lost.subject, p_reference, v_lost.amount,
                         v_lost.expires_at, backoff_seconds(p_first_seconds, v_attempts - 1, 120));
    RETURN 'replaced';
END $$;

-- Wish to be paid once more.  Answers false where the subject has had p_attempts_max attempts.
CREATE FUNCTION payment_open_another(
    p_account uuid, p_attempt uuid, p_subject uuid, p_reference text, p_amount bigint,
    p_expires_at timestamptz, p_attempts_max integer
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM payment_attempts
        WHERE account_id = p_account AND subject = p_subject) >= p_attempts_max THEN
        RETURN false;
    END IF;
    PERFORM payment_open(p_account, p_attempt, p_subject, p_reference, p_amount, p_expires_at, 0);
    RETURN true;
END $$;

-- Nobody should pay a QR of this subject any more: what the buyer has seen is 'cancelled', what
-- somebody may be asking for at this moment 'lost'.  The round takes both back at the provider.
CREATE FUNCTION payment_close(p_account uuid, p_subject uuid) RETURNS void
LANGUAGE sql AS $$
    UPDATE payment_attempts SET state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE 'lost' END,
        ask_at = least(ask_at, now() + make_interval(secs => 5)), ask_rank = 1
    WHERE account_id = p_account AND subject = p_subject AND state IN ('opening', 'waiting');
$$;

-- Money arrived.  The one door for notification, browser return and status question alike; it
-- only ever moves forward.  Answers 'captured', 'known', 'amount_differs' (it is known with another
-- amount: nothing is moved), or 'unknown_attempt'.
CREATE OR REPLACE FUNCTION payment_capture(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint, p_learned_by text
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by)
    VALUES (p_account, p_attempt, p_payment, p_amount, p_learned_by)
    ON CONFLICT ON CONSTRAINT captures_pkey DO NOTHING;
    IF NOT FOUND THEN
        -- A denial that came first has left its mark, with what was taken back.
        RETURN (SELECT CASE WHEN amount = p_amount OR learned_by = 'denial' THEN 'known'
                            ELSE 'amount_differs' END FROM captures
                WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment);
    END IF;
    IF EXISTS (SELECT 1 FROM suspense_items WHERE state = 'open' AND booked > 0
               AND reference IS NULL AND payment = p_payment) THEN
        PERFORM suspense_captured(p_payment, p_amount);
    END IF;
    UPDATE payment_attempts SET state = 'paid', ask_rank = 1
    WHERE account_id = p_account AND attempt_id = p_attempt AND state <> 'denied';
    PERFORM ledger_post(
        p_account, 'captured:' || p_attempt || ':' || p_payment, 'payment_captured',
        v_attempt.subject,
        ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-p_amount, p_amount]);
    PERFORM emit(p_account, 'payment_captured', jsonb_build_object(
        'attempt', p_attempt, 'payment', p_payment, 'subject', v_attempt.subject,
        'amount', p_amount));
    RETURN 'captured';
END $$;

-- -- orders -----------------------------------------------------------------------------------------

CREATE INDEX orders_unpaid ON orders (account_id) WHERE state = 'placed';

-- Place an order and record the wish to be paid: the hot command of the rush.  A repeat with the
-- same key finds the first.  Refuses `too_many_unpaid_orders`.  A web process that is a version
-- behind gives no limit.
DROP FUNCTION order_place(uuid, uuid, text, bytea, text, integer, bigint, bigint, double precision,
                          double precision, uuid, text, double precision);
CREATE FUNCTION order_place(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_kind text, p_quantity integer,
    p_price bigint, p_fee bigint, p_lapses_seconds double precision,
    p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_lease_seconds double precision, p_unpaid_max integer DEFAULT 2147483647
) RETURNS TABLE (created boolean, id uuid, request bytea, placed timestamptz, lapses timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_total bigint := p_quantity * (p_price + p_fee);
    v_lapses timestamptz := now() + make_interval(secs => p_lapses_seconds);
    v_unpaid integer;
BEGIN
    INSERT INTO orders (account_id, order_id, idempotency_key, request_hash, kind, quantity,
                        unit_price, service_fee, total, due_seconds, lapses_at)
    VALUES (p_account, p_order, p_key, p_request, p_kind, p_quantity, p_price, p_fee, v_total,
            p_due_seconds, v_lapses)
    ON CONFLICT ON CONSTRAINT one_order_per_key DO NOTHING;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, o.order_id, o.request_hash, o.placed_at, o.lapses_at
        FROM orders o WHERE o.account_id = p_account AND o.idempotency_key = p_key;
        RETURN;
    END IF;
    v_unpaid := order_unpaid(p_account, p_unpaid_max);
    IF v_unpaid > p_unpaid_max / 10 THEN
        -- Those who place at the same moment do not see each other: from a tenth of the limit on
        -- they wait for each other.  Who has few orders, as nearly everybody has, waits for nobody.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_account::text, 0));
        v_unpaid := order_unpaid(p_account, p_unpaid_max);
        IF v_unpaid > p_unpaid_max THEN
            PERFORM refuse('too_many_unpaid_orders', jsonb_build_object(
                'unpaid_max', p_unpaid_max));
        END IF;
    END IF;
    PERFORM payment_open(p_account, p_attempt, p_order, p_reference, v_total, v_lapses,
                         p_lease_seconds);
    RETURN QUERY SELECT true, p_order, p_request, now(), v_lapses;
END $$;

-- How many orders of an account are not paid, counted no further than one beyond the limit.
CREATE FUNCTION order_unpaid(p_account uuid, p_unpaid_max integer) RETURNS integer
LANGUAGE sql AS $$
    SELECT count(*)::integer FROM (SELECT 1 FROM orders WHERE account_id = p_account
        AND state = 'placed' LIMIT p_unpaid_max::bigint + 1) AS unpaid;
$$;
