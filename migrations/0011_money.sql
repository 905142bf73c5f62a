-- Money and stamps after an attack: a round handles each row by itself; what an issuer takes back
-- is found again where it came from, in part too.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What a round could not do, and when it may try again.  A row is written by a failure and deleted
-- by the next success, so the table is empty on a good day.
CREATE TABLE round_faults (
    account_id uuid        NOT NULL,
    round      text        NOT NULL,
    subject    text        NOT NULL,  -- the id of what the round could not handle
    tries      integer     NOT NULL DEFAULT 1,
    code       text        NOT NULL,  -- of the refusal, or 'fault'
    last_fault text        NOT NULL,
    first_at   timestamptz NOT NULL DEFAULT now(),
    last_at    timestamptz NOT NULL DEFAULT now(),
    try_at     timestamptz NOT NULL,
    CONSTRAINT round_faults_pkey PRIMARY KEY (account_id, round, subject)
);

-- When the newest refund of an order that is still under way is due; null where none is.  Kept by
-- the functions of refunds.
ALTER TABLE orders ADD COLUMN returning_due_at timestamptz;
UPDATE orders o SET returning_due_at = r.due_at
FROM (SELECT account_id, order_id, max(due_at) AS due_at FROM refunds
      WHERE state IN ('requested', 'sent', 'refused') GROUP BY account_id, order_id) r
WHERE o.account_id = r.account_id AND o.order_id = r.order_id;

-- The history of an account is read a page at a time, from any point on.
CREATE INDEX stampings_from_balance ON stampings (account_id, stamping_id) WHERE order_id IS NULL;

ALTER TABLE refunds DROP CONSTRAINT refund_cause_is_known;
ALTER TABLE refunds ADD CONSTRAINT refund_cause_is_known CHECK (cause IN
    ('not_executed', 'not_stamped', 'asked', 'short', 'excess', 'double', 'late', 'remainder'));

-- Lock every guarded balance of an account, in the one sequence in which all others that need more
-- than one of them come by.
CREATE FUNCTION ledger_lock(p_account uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balances WHERE account_id = p_account
    ORDER BY array_position(
        ARRAY['stamps_ordered', 'buyer_funds', 'stamps_available', 'refunds_payable'], book)
    FOR UPDATE;
END $$;

-- What an issuer took back of one payment, perhaps before we heard of the payment.  Sums only ever
-- grow, so the same news twice changes nothing.
CREATE TABLE chargebacks (
    account_id    uuid        NOT NULL,
    attempt_id    uuid        NOT NULL,
    payment       text        NOT NULL,  -- the provider's number of the payment
    subject       uuid        NOT NULL,  -- the order
    taken_back    bigint      NOT NULL,  -- so far, as the provider says
    is_whole      boolean     NOT NULL DEFAULT false,  -- all of it, whatever it was
    is_named      boolean     NOT NULL DEFAULT true,   -- some news named the payment
    posted        bigint      NOT NULL DEFAULT 0,  -- of it, in the books
    lost          bigint      NOT NULL DEFAULT 0,  -- of what was posted, not found again yet
    findings      integer     NOT NULL DEFAULT 0,  -- how often some of it was found, for entry ids
    first_told_at timestamptz NOT NULL DEFAULT now(),
    last_told_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chargebacks_pkey PRIMARY KEY (account_id, attempt_id, payment),
    CONSTRAINT chargeback_is_of_an_attempt
        FOREIGN KEY (account_id, attempt_id) REFERENCES payment_attempts,
    CONSTRAINT chargeback_has_an_amount CHECK (taken_back >= 0 AND (taken_back > 0 OR is_whole)),
    CONSTRAINT chargeback_is_counted CHECK (posted >= 0 AND lost >= 0)
);
CREATE INDEX chargebacks_by_subject ON chargebacks (account_id, subject);

-- The denials of before: of the whole payment, posted unless their job still waits.
INSERT INTO chargebacks (account_id, attempt_id, payment, subject, taken_back, posted, lost,
                         first_told_at, last_told_at)
SELECT c.account_id, c.attempt_id, c.payment, a.subject, c.amount,
    CASE WHEN e.entry_id IS NULL THEN 0 ELSE c.amount END,
    greatest(coalesce((
        SELECT sum(l.debit - l.credit) FROM legs l JOIN entries x USING (account_id, entry_id)
        WHERE l.account_id = c.account_id AND l.book = 'denied_loss' AND x.subject = a.subject
            AND (l.entry_id = e.entry_id
                OR EXISTS (SELECT 1 FROM refunds r WHERE r.account_id = c.account_id
                    AND r.attempt_id = c.attempt_id AND r.payment = c.payment
                    AND l.entry_id = 'void:' || r.refund_id)
                OR x.reason = 'loss_recovered' AND EXISTS (
                    SELECT 1 FROM orders o WHERE o.account_id = c.account_id
                    AND o.order_id = a.subject AND o.paid_attempt = c.attempt_id
                    AND o.paid_payment = c.payment))), 0), 0),
    c.denied_at, c.denied_at
FROM captures c
JOIN payment_attempts a USING (account_id, attempt_id)
LEFT JOIN entries e ON e.account_id = c.account_id
    AND e.entry_id = 'denied:' || c.attempt_id || ':' || c.payment
WHERE c.denied_at IS NOT NULL AND c.learned_by <> 'denial';

-- Post one entry.  Returns true if it is new, false if exactly the same entry exists; refuses
-- `entry_differs` if the id is taken by another one, and `entry_unbalanced` if the legs of a unit
-- do not add up to nothing, or if there is none.
CREATE OR REPLACE FUNCTION ledger_post(
    p_account uuid, p_entry text, p_reason text, p_subject uuid,
    p_books text[], p_amounts bigint[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_book text;
    v_amount bigint;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM unnest(p_books, p_amounts) AS leg (book, amount) WHERE leg.amount <> 0
    ) OR EXISTS (
        SELECT 1 FROM unnest(p_books, p_amounts) AS leg (book, amount)
        GROUP BY unit_of(leg.book)
        HAVING sum(leg.amount) <> 0 OR unit_of(leg.book) IS NULL OR count(*) <> count(leg.amount)
    ) THEN
        PERFORM refuse('entry_unbalanced', jsonb_build_object('entry', p_entry));
    END IF;
    INSERT INTO entries (account_id, entry_id, reason, subject)
    VALUES (p_account, p_entry, p_reason, p_subject)
    ON CONFLICT ON CONSTRAINT entries_pkey DO NOTHING;
    IF NOT FOUND THEN
        -- Both ways: an entry is its reason, its subject and all of its legs, no more and no less.
        IF NOT EXISTS (
            SELECT 1 FROM entries WHERE account_id = p_account AND entry_id = p_entry
                AND reason = p_reason AND subject = p_subject
        ) OR EXISTS (
            SELECT 1 FROM (
                SELECT book, amount FROM unnest(p_books, p_amounts) AS leg (book, amount)
                WHERE amount <> 0) AS given
            FULL JOIN (
                SELECT book, credit - debit AS amount FROM legs
                WHERE account_id = p_account AND entry_id = p_entry) AS kept USING (book)
            WHERE given.amount IS DISTINCT FROM kept.amount
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

-- The issuer took a payment back, in part or whole, or never gave it.  `p_amount` is the sum taken
-- back of this payment SO FAR, null for all of it: a repeat brings no greater sum and changes
-- nothing, whatever came between, and who hears of parts one by one asks the provider for the sum.
-- Answers:
--   denied           money goes out of the books (by a job)
--   known            no more than what was taken back before
--   declined         nothing was captured: the QR is spent, a later capture by this number is denied
--   early            a part of a payment that we have not heard of; kept until it is captured
--   exceeds          more than was captured; nothing is done
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

-- The QR of an attempt is spent and nothing was captured: its order may have another.
CREATE FUNCTION payment_decline(p_attempt payment_attempts) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_attempts SET state = 'declined'
    WHERE account_id = p_attempt.account_id AND attempt_id = p_attempt.attempt_id
        AND state IN ('lost', 'opening', 'waiting');
    IF p_attempt.state IN ('opening', 'waiting') THEN  -- a lost one has its successor already
        PERFORM emit(p_attempt.account_id, 'payment_declined',
                     jsonb_build_object('subject', p_attempt.subject));
    END IF;
    RETURN 'declined';
END $$;

-- A capture of which all was taken back says so, and an attempt of which every capture does.
CREATE FUNCTION payment_mark_denied(p_account uuid, p_attempt uuid, p_payment text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE captures c SET denied_at = now() FROM chargebacks b
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.denied_at IS NULL AND (b.is_whole OR b.taken_back >= c.amount)
        AND b.account_id = c.account_id AND b.attempt_id = c.attempt_id AND b.payment = c.payment;
    IF FOUND THEN
        UPDATE payment_attempts SET state = 'denied'
        WHERE account_id = p_account AND attempt_id = p_attempt
            AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.account_id = p_account
                            AND c.attempt_id = p_attempt AND c.denied_at IS NULL);
    END IF;
END $$;

-- Money for an order was captured: capture-and-issue.  Every sum and every moment has a named
-- outcome:
--   executed   stamps issued              paid      in flight: documents, or issuing is stopped
--   short      less than the total        double    the order was paid before
--   late       the order is closed        denied    the issuer has already taken it back
-- What is not used for the order (all of it when short, double or late; the rest when too much)
-- is in buyer_funds, and `money_to_return` says so to the room of refunds.  What the issuer took
-- back before this goes out first; the order gets what is left.
CREATE OR REPLACE FUNCTION order_settle(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_cause text;
    v_amount bigint := p_amount;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.paid_attempt = p_attempt AND v_order.paid_payment = p_payment THEN
        RETURN v_order.state;
    END IF;
    IF EXISTS (SELECT 1 FROM chargebacks WHERE account_id = p_account
               AND attempt_id = p_attempt AND payment = p_payment) THEN
        PERFORM refund_denied(p_account, p_order, p_attempt, p_payment);
        SELECT p_amount - posted INTO v_amount FROM chargebacks
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        IF v_amount <= 0 THEN
            RETURN 'denied';
        END IF;
    END IF;
    v_cause := CASE
        WHEN v_order.state IN ('paid', 'executed', 'returning', 'returned') THEN 'double'
        WHEN v_order.state IN ('withdrawn', 'denied') THEN 'late'
        WHEN v_amount < v_order.total THEN 'short'
    END;
    IF v_cause IS NOT NULL THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, v_amount, v_cause);
        RETURN v_cause;
    END IF;
    UPDATE orders SET state = 'paid', paid_at = now(), paid_attempt = p_attempt,
        paid_payment = p_payment, due_at = now() + make_interval(secs => due_seconds)
    WHERE account_id = p_account AND order_id = p_order;
    IF v_amount > v_order.total THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment,
                                v_amount - v_order.total, 'excess');
    END IF;
    RETURN order_execute(p_account, p_order);
END $$;

-- Money of a payment has no use; `p_key` names the refund where one payment has several of a cause.
DROP FUNCTION order_give_back(uuid, uuid, uuid, text, bigint, text);
CREATE FUNCTION order_give_back(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint, p_cause text,
    p_key text DEFAULT NULL
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'money_to_return', jsonb_build_object(
        'order', p_order, 'attempt', p_attempt, 'payment', p_payment, 'amount', p_amount,
        'cause', p_cause, 'key', coalesce(p_key, p_cause || ':' || p_attempt || ':' || p_payment)));
$$;

UPDATE jobs SET facts = facts || jsonb_build_object('key',
    concat_ws(':', facts->>'cause', facts->>'attempt', facts->>'payment'))
WHERE kind = 'money_to_return';

-- Receipts that are not written yet: one refund number on pages and in mails, and the bank's beside it.
UPDATE mails m SET facts = m.facts || jsonb_build_object(
    'number', r.refund_no, 'bank_number', r.provider_refund_no)
FROM refunds r
WHERE m.account_id = r.account_id AND m.cause_key = 'refund_settled:' || r.refund_id
    AND m.state = 'queued';

-- Rupiah of an order that are neither executed nor back.
CREATE FUNCTION order_in_flight(p_account uuid, p_order uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.credit - l.debit), 0)::bigint
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.account_id = p_account AND e.subject = p_order
        AND l.book IN ('buyer_funds', 'refunds_payable');
$$;

-- The stamping will not happen: the stamps go back where they came from, the serials are void.
-- Where the issuer took back what a stamp was paid with, it leaves the world at this moment: nobody
-- may use it in between.
CREATE OR REPLACE FUNCTION stamps_release(p_account uuid, p_stamping uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
BEGIN
    -- Orders before balances before lots, as everybody locks them.
    PERFORM 1 FROM orders o
    WHERE o.account_id = p_account AND o.order_id IN (
        SELECT lot_id FROM stamps WHERE account_id = p_account AND stamping_id = p_stamping)
    ORDER BY o.order_id FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM chargebacks c JOIN stamps s
            ON s.account_id = c.account_id AND s.lot_id = c.subject
        WHERE c.account_id = p_account AND c.lost > 0 AND s.stamping_id = p_stamping) THEN
        PERFORM ledger_lock(p_account);
    END IF;
    IF NOT ledger_resolve(p_account, p_stamping, 'voided') THEN
        RETURN false;
    END IF;
    PERFORM stamps_leave_hold(p_account, p_stamping, 'void');
    FOR v_order IN
        SELECT * FROM orders o
        WHERE o.account_id = p_account AND o.order_id IN (
            SELECT lot_id FROM stamps WHERE account_id = p_account AND stamping_id = p_stamping)
        ORDER BY o.order_id
    LOOP
        PERFORM refund_recover(p_account, v_order.order_id, v_order.paid_attempt,
                               v_order.paid_payment);
    END LOOP;
    RETURN true;
END $$;

-- Take unused stamps of a lot out of the world, at most `p_most`; the caller moves the money.
-- Answers how many.
DROP FUNCTION stamps_return(uuid, uuid);
CREATE FUNCTION stamps_return(p_account uuid, p_lot uuid, p_most bigint DEFAULT NULL)
RETURNS integer
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
    v_free := least(v_free, p_most);  -- least() passes over a null
    IF v_free > 0 THEN
        UPDATE stamp_lots SET returned = returned + v_free
        WHERE account_id = p_account AND lot_id = p_lot;
    END IF;
    RETURN v_free;
END $$;

-- Move money of a payment onto its way back.  Unused stamps that come back with it are named by
-- the book they leave.  Answers false if this cause has its refund already.  The caller has locked
-- the order.
CREATE OR REPLACE FUNCTION refund_request(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_order uuid,
    p_attempt uuid, p_payment text, p_amount bigint, p_stamps integer, p_book text,
    p_refund_no text, p_due_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_books text[] := ARRAY['refunds_payable'];
    v_amounts bigint[] := ARRAY[p_amount];
BEGIN
    INSERT INTO refunds (account_id, refund_id, cause_key, cause, order_id, attempt_id, payment,
                         amount, stamps, refund_no, due_at)
    VALUES (p_account, p_refund, p_cause_key, p_cause, p_order, p_attempt, p_payment, p_amount,
            p_stamps, p_refund_no, p_due_at)
    ON CONFLICT ON CONSTRAINT one_refund_per_cause DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE orders SET returning_due_at = greatest(returning_due_at, p_due_at)
    WHERE account_id = p_account AND order_id = p_order RETURNING * INTO v_order;
    IF p_book = 'stamps_available' THEN  -- executed before, undone now
        v_books := v_books || ARRAY['duty_payable', 'service_fee'];
        v_amounts := v_amounts
            || ARRAY[-p_stamps * v_order.unit_price, -p_stamps * v_order.service_fee];
    ELSE
        v_books := v_books || 'buyer_funds'::text;
        v_amounts := v_amounts || -p_amount;
    END IF;
    IF p_stamps > 0 THEN
        v_books := v_books || ARRAY[p_book, 'stamps_issued'];
        v_amounts := v_amounts || ARRAY[-p_stamps::bigint, p_stamps::bigint];
    END IF;
    PERFORM ledger_post(p_account, 'refund:' || p_refund, 'refund_requested', p_order,
                        v_books, v_amounts);
    PERFORM emit(p_account, 'refund_requested', jsonb_build_object('refund', p_refund));
    RETURN true;
END $$;

-- Of one payment: what its order has no use for and is not on its way back.  All of a payment that
-- was not settled with its order yet.
CREATE FUNCTION refund_unassigned(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT c.amount
        - coalesce((SELECT b.posted - b.lost FROM chargebacks b WHERE b.account_id = p_account
                    AND b.attempt_id = p_attempt AND b.payment = p_payment), 0)
        - coalesce((SELECT sum(r.amount)::bigint FROM refunds r WHERE r.account_id = p_account
                    AND r.order_id = p_order AND r.attempt_id = p_attempt
                    AND r.payment = p_payment AND r.state <> 'void'), 0)
        - coalesce((SELECT CASE
                        WHEN l.lot_id IS NOT NULL
                            THEN (l.issued - l.returned) * (l.unit_price + l.service_fee)
                        WHEN o.state = 'paid' THEN o.total
                    END
                    FROM orders o LEFT JOIN stamp_lots l
                        ON l.account_id = o.account_id AND l.lot_id = o.order_id
                    WHERE o.account_id = p_account AND o.order_id = p_order
                        AND o.paid_attempt = p_attempt AND o.paid_payment = p_payment), 0)
    FROM captures c
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
$$;

-- Money of a payment that its order has no use for goes back: as much as is left of it, since the
-- issuer may have taken some in between.  Answers how much.
CREATE FUNCTION refund_surplus(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_order uuid,
    p_attempt uuid, p_payment text, p_amount bigint, p_refund_no text, p_due_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    v_amount := least(p_amount,
        coalesce(refund_unassigned(p_account, p_order, p_attempt, p_payment), 0));
    IF v_amount > 0 AND refund_request(p_account, p_refund, p_cause_key, p_cause, p_order,
            p_attempt, p_payment, v_amount, 0, NULL, p_refund_no, p_due_at) THEN
        RETURN v_amount;
    END IF;
    RETURN 0;
END $$;

-- Give back every unused stamp of an order with its money.  Answers how many there were.
CREATE OR REPLACE FUNCTION refund_unused(
    p_account uuid, p_order uuid, p_refund uuid, p_cause_key text, p_cause text,
    p_refund_no text, p_due_at timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_lot stamp_lots;
    v_free integer;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state NOT IN ('paid', 'executed', 'denied') THEN
        RETURN 0;
    END IF;
    -- What the issuer took back is not given back a second time.
    PERFORM refund_recover(p_account, p_order, v_order.paid_attempt, v_order.paid_payment);
    v_free := stamps_return(p_account, p_order);
    IF v_free = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
    PERFORM refund_request(p_account, p_refund, p_cause_key, p_cause, p_order,
        v_order.paid_attempt, v_order.paid_payment,
        v_free * (v_lot.unit_price + v_lot.service_fee), v_free, v_lot.book, p_refund_no,
        p_due_at);
    IF v_lot.returned = v_lot.issued AND v_order.state <> 'denied' THEN
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
    RETURN v_free;
END $$;

-- The provider has given the money back.  Answers the state of the refund.
CREATE OR REPLACE FUNCTION refund_settle(p_account uuid, p_refund uuid, p_provider_no text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_was text;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    v_was := v_refund.state;
    IF v_was IS NULL OR v_was NOT IN ('sent', 'refused', 'void') THEN
        RETURN v_was;
    END IF;
    UPDATE refunds SET state = 'settled', settled_at = now(), provider_refund_no = p_provider_no
    WHERE account_id = p_account AND refund_id = p_refund;
    -- A call that was open while the refund was stopped has been carried out all the same: then
    -- the buyer was paid twice, and what it was stopped for is a loss again.
    PERFORM ledger_post(p_account, 'settled:' || p_refund, 'refund_settled', v_refund.order_id,
        ARRAY[CASE v_was WHEN 'void' THEN 'denied_loss' ELSE 'refunds_payable' END,
              'bank_clearing'],
        ARRAY[-v_refund.amount, v_refund.amount]);
    IF v_was = 'void' THEN
        UPDATE chargebacks SET lost = lost + v_refund.amount
        WHERE account_id = p_account AND attempt_id = v_refund.attempt_id
            AND payment = v_refund.payment;
        PERFORM refund_recover(p_account, v_refund.order_id, v_refund.attempt_id,
                               v_refund.payment);
    END IF;
    PERFORM refund_finish_order(p_account, v_refund.order_id);
    PERFORM emit(p_account, 'refund_settled', jsonb_build_object('refund', p_refund));
    RETURN 'settled';
END $$;

-- A refund with its order locked before it, as everybody locks them.
CREATE FUNCTION refund_lock(p_account uuid, p_refund uuid) RETURNS refunds
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    PERFORM 1 FROM orders o WHERE o.account_id = p_account AND o.order_id = (
        SELECT r.order_id FROM refunds r
        WHERE r.account_id = p_account AND r.refund_id = p_refund) FOR UPDATE;
    SELECT * INTO v_refund FROM refunds
    WHERE account_id = p_account AND refund_id = p_refund FOR UPDATE;
    RETURN v_refund;
END $$;

-- After every move of an order's refunds: when the last of them is due, and whether it is over.
CREATE OR REPLACE FUNCTION refund_finish_order(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    UPDATE orders SET returning_due_at = (
        SELECT max(due_at) FROM refunds WHERE account_id = p_account AND order_id = p_order
            AND state IN ('requested', 'sent', 'refused'))
    WHERE account_id = p_account AND order_id = p_order RETURNING state INTO v_state;
    IF v_state = 'returning' AND order_in_flight(p_account, p_order) = 0 THEN
        PERFORM order_close(p_account, p_order, 'returned');
    END IF;
END $$;

-- What the issuer took back of a payment goes out of the books of its order, and of no other: as a
-- loss at first, of which everything is found again that was not used up.  It takes what was told
-- and is not posted yet, so it may run early, late or twice.  Answers the loss that is left.
-- `p_amount` is from the callers of before; what counts is in `chargebacks`.
CREATE OR REPLACE FUNCTION refund_denied(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_captured bigint;
    v_new bigint;
    v_posted bigint;
    v_lost bigint;
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    SELECT amount INTO v_captured FROM captures WHERE account_id = p_account
        AND attempt_id = p_attempt AND payment = p_payment AND learned_by <> 'denial';
    SELECT CASE WHEN is_whole THEN v_captured ELSE least(taken_back, v_captured) END - posted, posted
    INTO v_new, v_posted FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF v_captured IS NULL OR v_new IS NULL THEN
        RETURN 0;  -- the payment itself is still to come
    END IF;
    IF v_new > 0 THEN
        UPDATE chargebacks SET posted = posted + v_new, lost = lost + v_new
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'denied:' || p_attempt || ':' || p_payment || ':' || v_posted + v_new,
            'payment_denied', p_order,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_new, -v_new]);
        PERFORM payment_mark_denied(p_account, p_attempt, p_payment);
    END IF;
    v_lost := refund_recover(p_account, p_order, p_attempt, p_payment);
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_lost;
END $$;

-- Find the loss of a payment again in what is left of the payment itself, in this sequence: what
-- its order has no use for, refunds that nobody was asked for yet or that were refused, and, of the
-- payment that the order was paid with, money that is not executed and stamps that nobody uses.
-- What a stopped refund or a stamp was worth beyond the loss goes back to the buyer.  Called after
-- every denial and whenever something of the order comes free.  Answers the loss that is left.
CREATE FUNCTION refund_recover(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_lost bigint;
    v_found bigint;
    v_refund refunds;
BEGIN
    SELECT lost INTO v_lost FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    ELSIF v_lost > 0 THEN
        PERFORM ledger_lock(p_account);
    END IF;
    v_found := least(v_lost, refund_unassigned(p_account, p_order, p_attempt, p_payment));
    IF v_found > 0 THEN
        v_lost := refund_found(p_account, p_order, p_attempt, p_payment, v_found,
                               ARRAY['buyer_funds'], ARRAY[-v_found]);
    END IF;
    FOR v_refund IN
        SELECT * FROM refunds WHERE account_id = p_account AND order_id = p_order
            AND attempt_id = p_attempt AND payment = p_payment
            AND state IN ('requested', 'refused')
        ORDER BY refund_id FOR UPDATE
    LOOP
        EXIT WHEN v_lost = 0;
        v_lost := refund_stop(v_refund);
    END LOOP;
    RETURN refund_recover_order(p_account, p_order, p_attempt, p_payment);
END $$;

-- The part of refund_recover that is about the order itself, where this payment paid it.
CREATE FUNCTION refund_recover_order(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_lot stamp_lots;
    v_lost bigint;
    v_is_whole boolean;
    v_unit bigint;
    v_free integer := 0;
    v_rest bigint := 0;
BEGIN
    SELECT b.lost, b.posted >= c.amount INTO v_lost, v_is_whole
    FROM chargebacks b JOIN captures c USING (account_id, attempt_id, payment)
    WHERE b.account_id = p_account AND b.attempt_id = p_attempt AND b.payment = p_payment;
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order
        AND paid_attempt = p_attempt AND paid_payment = p_payment FOR UPDATE;
    IF NOT FOUND OR v_order.state NOT IN ('paid', 'executed', 'denied') THEN
        RETURN v_lost;
    END IF;
    SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
    IF v_lot.lot_id IS NULL AND v_lost > 0 AND v_order.state = 'paid' THEN
        v_rest := v_order.total - least(v_lost, v_order.total);
        v_lost := refund_found(p_account, p_order, p_attempt, p_payment,
            v_order.total - v_rest, ARRAY['buyer_funds'], ARRAY[v_rest - v_order.total]);
        PERFORM order_close(p_account, p_order, 'denied');
    ELSIF v_lot.lot_id IS NOT NULL AND v_lost > 0 THEN
        v_unit := v_lot.unit_price + v_lot.service_fee;
        -- Documents that nobody has begun belong to one order: they go together.
        v_free := stamps_return(p_account, p_order, CASE v_lot.book
            WHEN 'stamps_available' THEN (v_lost + v_unit - 1) / v_unit END);
        IF v_free > 0 THEN
            v_rest := v_free * v_unit - least(v_lost, v_free * v_unit);
            v_lost := refund_found_stamps(p_account, v_order, v_lot, v_free, v_rest);
        END IF;
    END IF;
    IF v_lot.lot_id IS NOT NULL AND v_order.state <> 'denied' AND (v_is_whole
        OR v_lot.returned + v_free = v_lot.issued AND v_free > 0) THEN
        PERFORM order_close(p_account, p_order, 'denied');
    END IF;
    IF v_rest > 0 THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'remainder',
            'remainder:' || p_attempt || ':' || p_payment || ':'
                || coalesce(v_lot.returned, 0) + v_free);
    END IF;
    RETURN v_lost;
END $$;

-- Unused stamps that were paid with money the issuer took back have left the world; what they were
-- worth beyond the loss is the buyer's.  Answers the loss that is left.
CREATE FUNCTION refund_found_stamps(
    p_account uuid, p_order orders, p_lot stamp_lots, p_count integer, p_rest bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_found bigint := p_count * (p_lot.unit_price + p_lot.service_fee) - p_rest;
    v_books text[] := ARRAY['buyer_funds'];
    v_amounts bigint[] := ARRAY[-v_found];  -- documents: their money was not executed
BEGIN
    IF p_lot.book = 'stamps_available' THEN
        v_books := v_books || ARRAY['duty_payable', 'service_fee'];
        v_amounts := ARRAY[p_rest, -p_count * p_lot.unit_price, -p_count * p_lot.service_fee];
    END IF;
    RETURN refund_found(p_account, p_order.order_id, p_order.paid_attempt, p_order.paid_payment,
        v_found, v_books || ARRAY[p_lot.book, 'stamps_issued'],
        v_amounts || ARRAY[-p_count::bigint, p_count::bigint]);
END $$;

-- A part of a loss is no loss: it was found in these books.  Answers the loss that is left.
CREATE FUNCTION refund_found(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_found bigint,
    p_books text[], p_amounts bigint[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
    v_lost bigint;
BEGIN
    UPDATE chargebacks SET lost = lost - p_found, findings = findings + 1
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
    RETURNING findings, lost INTO v_number, v_lost;
    PERFORM ledger_post(p_account,
        'recovered:' || p_attempt || ':' || p_payment || ':' || v_number, 'loss_recovered',
        p_order, p_books || 'denied_loss'::text, p_amounts || p_found);
    RETURN v_lost;
END $$;

-- A refund is not carried out, for the issuer has given the buyer the money, or a part of it: that
-- part is no loss, the rest goes back by another refund.  Answers the loss that is left.
CREATE FUNCTION refund_stop(p_refund refunds) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_found bigint;
    v_lost bigint;
BEGIN
    SELECT least(lost, p_refund.amount) INTO v_found FROM chargebacks
    WHERE account_id = p_refund.account_id AND attempt_id = p_refund.attempt_id
        AND payment = p_refund.payment;
    UPDATE refunds SET state = 'void'
    WHERE account_id = p_refund.account_id AND refund_id = p_refund.refund_id;
    UPDATE chargebacks SET lost = lost - v_found
    WHERE account_id = p_refund.account_id AND attempt_id = p_refund.attempt_id
        AND payment = p_refund.payment RETURNING lost INTO v_lost;
    PERFORM ledger_post(p_refund.account_id, 'void:' || p_refund.refund_id, 'refund_void',
        p_refund.order_id, ARRAY['refunds_payable', 'denied_loss', 'buyer_funds'],
        ARRAY[-p_refund.amount, v_found, p_refund.amount - v_found]);
    IF v_found < p_refund.amount THEN
        PERFORM order_give_back(p_refund.account_id, p_refund.order_id, p_refund.attempt_id,
            p_refund.payment, p_refund.amount - v_found, p_refund.cause,
            'rest:' || p_refund.refund_id);
    END IF;
    RETURN v_lost;
END $$;

-- The provider refused a refund that was under way.  Where the issuer took the payment back and we
-- have not found all of it, nothing more is owed for that part.  Answers the state of the refund:
-- what is not void is tried again.
DROP FUNCTION refund_void(uuid, uuid);
CREATE FUNCTION refund_void(p_account uuid, p_refund uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    IF v_refund.state IS NULL OR v_refund.state NOT IN ('sent', 'refused') OR NOT EXISTS (
        SELECT 1 FROM chargebacks WHERE account_id = p_account
            AND attempt_id = v_refund.attempt_id AND payment = v_refund.payment
            AND lost > 0) THEN
        RETURN v_refund.state;
    END IF;
    PERFORM refund_stop(v_refund);
    PERFORM refund_finish_order(p_account, v_refund.order_id);
    RETURN 'void';
END $$;

-- Put right what was done before.  A stamp bought as quota was recovered out of buyer_funds, which
-- held money of other orders; and a stamp of a charged-back lot that came free was available again.
DO $$
DECLARE
    v_wrong record;
BEGIN
    FOR v_wrong IN
        SELECT e.account_id, e.entry_id, e.subject, b.debit AS amount, s.debit AS stamps,
               o.unit_price, o.service_fee
        FROM entries e
        JOIN legs b ON b.account_id = e.account_id AND b.entry_id = e.entry_id
            AND b.book = 'buyer_funds'
        JOIN legs s ON s.account_id = e.account_id AND s.entry_id = e.entry_id
            AND s.book = 'stamps_available'
        JOIN orders o ON o.account_id = e.account_id AND o.order_id = e.subject
        WHERE e.reason = 'loss_recovered' ORDER BY e.account_id, e.entry_id
    LOOP
        PERFORM ledger_post(v_wrong.account_id, 'corrected:' || v_wrong.entry_id, 'correction',
            v_wrong.subject, ARRAY['buyer_funds', 'duty_payable', 'service_fee'],
            ARRAY[v_wrong.amount, -v_wrong.stamps * v_wrong.unit_price,
                  -v_wrong.stamps * v_wrong.service_fee]);
    END LOOP;
    FOR v_wrong IN
        SELECT account_id, subject, attempt_id, payment FROM chargebacks
        WHERE lost > 0 ORDER BY account_id, subject
    LOOP
        PERFORM refund_recover(v_wrong.account_id, v_wrong.subject, v_wrong.attempt_id,
                               v_wrong.payment);
    END LOOP;
END $$;
