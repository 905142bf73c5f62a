-- A payment, by the provider's number of it, counts once: for one attempt, or in suspense under one
-- reference.  Seen under another, it is not a payment more but news for somebody to look at.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE suspense_items DROP CONSTRAINT suspense_reason_is_known;
ALTER TABLE suspense_items ADD CONSTRAINT suspense_reason_is_known CHECK (reason IN
    ('unreadable', 'reference_missing', 'reference_unknown', 'status_unknown',
     'status_contradicts', 'number_missing', 'amount_unreadable', 'amount_differs',
     'denial_ambiguous', 'id_conflict', 'refunded_there', 'number_elsewhere'));
DROP INDEX suspense_items_of_no_reference;
CREATE INDEX suspense_items_by_payment ON suspense_items (payment) WHERE booked > 0;

-- Whoever counts a payment locks its number until the transaction ends, after its attempt and before
-- anything in suspense.
CREATE FUNCTION payment_number_lock(p_payment text) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('payment:' || p_payment, 0));
$$;

-- Where a payment of this number counts under another reference, the attempts of both are to be asked
-- about at once, and the answer is true.  An attempt that somebody is working on is passed over.
CREATE FUNCTION payment_is_elsewhere(p_account uuid, p_attempt uuid, p_payment text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_other captures;
BEGIN
    SELECT * INTO v_other FROM captures
    WHERE payment = p_payment AND learned_by <> 'denial'
        AND (account_id, attempt_id) <> (p_account, p_attempt)
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE payment_attempts SET ask_at = least(ask_at, now())
    WHERE state <> 'opening' AND (account_id, attempt_id) IN (
        SELECT account_id, attempt_id FROM payment_attempts
        WHERE (account_id, attempt_id) IN (
            (p_account, p_attempt), (v_other.account_id, v_other.attempt_id))
        FOR UPDATE SKIP LOCKED);
    RETURN true;
END $$;

-- A payment is being captured: its money leaves the book where it was told without a reference, or
-- under one that is not ours.  Answers false where money of this number lies there that is not this
-- payment's: another sum, or given back already.
DROP FUNCTION suspense_captured(text, bigint);
CREATE FUNCTION suspense_captured(p_payment text, p_amount bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM suspense_items WHERE payment = p_payment AND booked > 0
               AND (resolution = 'returned' OR state = 'open' AND booked <> p_amount)) THEN
        RETURN false;
    END IF;
    PERFORM suspense_resolve(item_id, 'explained', 'payments', 'captured') FROM suspense_items
    WHERE state = 'open' AND booked > 0 AND payment = p_payment;
    RETURN true;
END $$;

-- Money arrived.  The one door for notification, browser return and status question alike; it
-- only ever moves forward.  Answers 'captured', 'known', 'amount_differs' (it is known with another
-- amount: nothing is moved), 'elsewhere' (it counts under another reference: nothing is moved), or
-- 'unknown_attempt'.
CREATE OR REPLACE FUNCTION payment_capture(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint, p_learned_by text
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
    v_known captures;
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    SELECT * INTO v_known FROM captures
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
    IF FOUND THEN
        -- A denial that came first has left its mark, with what was taken back.
        RETURN CASE WHEN v_known.amount = p_amount OR v_known.learned_by = 'denial' THEN 'known'
                    ELSE 'amount_differs' END;
    END IF;
    PERFORM payment_number_lock(p_payment);
    IF payment_is_elsewhere(p_account, p_attempt, p_payment)
        OR NOT suspense_captured(p_payment, p_amount) THEN
        RETURN 'elsewhere';
    END IF;
    INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by)
    VALUES (p_account, p_attempt, p_payment, p_amount, p_learned_by);
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

-- Keep news that nobody can place; with p_is_money its sum goes into the book.  Answers false where
-- it was told before: then nothing is booked again.  The same payment with another sum is an item
-- of its own, for somebody to look at, and books nothing; so is one whose money is in the book
-- already, or was, under another reference.
CREATE OR REPLACE FUNCTION suspense_keep(
    p_item uuid, p_key text, p_source text, p_reason text, p_reference text, p_payment text,
    p_amount bigint, p_is_money boolean, p_told bytea, p_due_seconds double precision
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_known bigint;
BEGIN
    IF p_is_money THEN
        PERFORM payment_number_lock(p_payment);
        IF EXISTS (SELECT 1 FROM suspense_items
                   WHERE payment = p_payment AND booked > 0 AND item_key <> p_key) THEN
            RETURN suspense_keep(p_item, p_key || ':elsewhere', p_source, 'number_elsewhere',
                p_reference, p_payment, p_amount, false, p_told, p_due_seconds);
        END IF;
    END IF;
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

-- The issuer took a payment back, in part or whole, or never gave it.  `p_amount` is the sum taken
-- back of this payment SO FAR, null for all of it: a repeat brings no greater sum and changes
-- nothing, whatever came between, and who hears of parts one by one asks the provider for the sum.
-- Answers:
--   denied           money goes out of the books (by a job)
--   known            no more than what was taken back before
--   declined         nothing was captured: the QR is spent, a later capture by this number is denied
--   early            a part of a payment that we have not heard of; kept until it is captured
--   exceeds          more than was captured; nothing is done
--   elsewhere        it counts under another reference; nothing is done
--   ambiguous        no payment was named and it may be one of several; nothing is done
--   unknown_attempt
-- Without `p_payment` the one capture of the attempt that is not wholly taken back is meant.  Where
-- another one was taken back by news that named none either, this may be that news again.
CREATE OR REPLACE FUNCTION payment_deny(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
    v_payment text := p_payment;
    v_capture captures;
    v_before bigint := 0;
    v_left integer;
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    IF p_amount <= 0 THEN
        RETURN 'known';
    END IF;
    IF p_payment IS NULL THEN
        SELECT count(*) FILTER (WHERE denied_at IS NULL), min(payment) FILTER (
            WHERE denied_at IS NULL)
        INTO v_left, v_payment FROM captures
        WHERE account_id = p_account AND attempt_id = p_attempt AND learned_by <> 'denial'
        HAVING count(*) > 0;
        IF v_left = 0 THEN
            RETURN 'known';
        ELSIF v_left > 1 OR EXISTS (
            SELECT 1 FROM chargebacks WHERE account_id = p_account AND attempt_id = p_attempt
                AND payment <> v_payment AND NOT is_named) THEN
            RETURN 'ambiguous';
        END IF;
    END IF;
    SELECT * INTO v_capture FROM captures
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = v_payment;
    IF v_payment IS NULL THEN
        RETURN payment_decline(v_attempt);
    ELSIF v_capture.amount IS NULL AND payment_is_elsewhere(p_account, p_attempt, v_payment) THEN
        RETURN 'elsewhere';
    ELSIF v_capture.learned_by = 'denial' THEN
        RETURN 'known';  -- a mark of before: the payment itself will be known too
    ELSIF p_amount > v_capture.amount THEN
        RETURN 'exceeds';
    END IF;
    SELECT taken_back INTO v_before FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = v_payment;
    INSERT INTO chargebacks AS c (account_id, attempt_id, payment, subject, taken_back, is_whole, is_named)
    VALUES (p_account, p_attempt, v_payment, v_attempt.subject,
            coalesce(p_amount, v_capture.amount, 0), p_amount IS NULL, p_payment IS NOT NULL)
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET taken_back = greatest(c.taken_back, excluded.taken_back), is_whole = c.is_whole OR excluded.is_whole,
        is_named = c.is_named OR excluded.is_named, last_told_at = now()
    WHERE NOT c.is_whole AND (excluded.taken_back > c.taken_back
        OR excluded.is_whole AND (v_capture.amount IS NULL OR c.taken_back < v_capture.amount));
    IF NOT FOUND THEN
        RETURN 'known';
    ELSIF v_capture.amount IS NULL AND p_amount < v_attempt.amount THEN
        UPDATE payment_attempts SET ask_at = least(ask_at, now())
        WHERE account_id = p_account AND attempt_id = p_attempt AND state <> 'opening';
        RETURN 'early';
    ELSIF v_capture.amount IS NULL THEN
        RETURN payment_decline(v_attempt);
    END IF;
    PERFORM payment_mark_denied(p_account, p_attempt, v_payment);
    PERFORM emit(p_account, 'payment_denied', jsonb_build_object(
        'attempt', p_attempt, 'payment', v_payment, 'subject', v_attempt.subject,
        'amount', coalesce(p_amount, v_capture.amount) - coalesce(v_before, 0)));
    RETURN 'denied';
END $$;
