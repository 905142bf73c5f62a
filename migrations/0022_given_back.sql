-- Money that the provider gave back of its own accord: a sum for each payment that only grows, beside
-- what the payer's bank took back.  It leaves the books of its order with an entry of its own, as a
-- loss at first, which is found again where a chargeback's is: in money nobody has taken, in open
-- refunds, in what was not executed.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE chargebacks
    ADD COLUMN returned bigint NOT NULL DEFAULT 0,  -- given back by the provider itself, so far
    ADD COLUMN returned_posted bigint NOT NULL DEFAULT 0,  -- of it, in the books
    ADD COLUMN returned_told bigint NOT NULL DEFAULT 0,  -- the most that news spoke of, ours counted
    -- When to read the provider's own record of the payment, because news said it was given back.
    ADD COLUMN look_at timestamptz NOT NULL DEFAULT 'infinity',
    DROP CONSTRAINT chargeback_has_an_amount,
    DROP CONSTRAINT chargeback_is_counted,
    ADD CONSTRAINT chargeback_has_an_amount CHECK (taken_back >= 0 AND
        (taken_back > 0 OR is_whole OR returned > 0 OR returned_told > 0)),
    ADD CONSTRAINT chargeback_is_counted CHECK (posted >= 0 AND lost >= 0
        AND returned_told >= 0 AND returned_posted BETWEEN 0 AND returned);
CREATE INDEX chargebacks_to_look_up ON chargebacks (look_at) WHERE look_at < 'infinity';
ALTER TABLE suspense_items ADD CONSTRAINT suspended_money_is_not_dismissed
    CHECK (booked = 0 OR resolution IS DISTINCT FROM 'dismissed');

-- News says that a captured payment was given back, in whole or part: its record is to be read.
CREATE FUNCTION payment_given_back_told(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO chargebacks AS b (account_id, attempt_id, payment, subject, taken_back,
                                  returned_told, look_at)
    SELECT c.account_id, c.attempt_id, c.payment, a.subject, 0,
           least(coalesce(p_amount, c.amount), c.amount), now()
    FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial'
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET returned_told = greatest(b.returned_told, excluded.returned_told), look_at = now();
$$;

-- The provider's record says how much it gave back of its own accord, `p_returned` so far, and which
-- refunds of ours it has made.  What it has not made and nobody is asking for is not to be made any
-- more as far as this money covers it.
CREATE FUNCTION refund_given_back(
    p_account uuid, p_attempt uuid, p_payment text, p_returned bigint, p_made text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_order uuid;
    v_captured bigint;
BEGIN
    SELECT a.subject, c.amount INTO v_order, v_captured
    FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
    IF NOT FOUND OR p_returned <= 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = v_order FOR UPDATE;
    INSERT INTO chargebacks AS b (account_id, attempt_id, payment, subject, taken_back, returned)
    VALUES (p_account, p_attempt, p_payment, v_order, 0, least(p_returned, v_captured))
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET returned = greatest(b.returned, excluded.returned);
    UPDATE refunds SET state = 'refused', last_answer = 'given back by the provider itself'
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
        AND state = 'sent' AND (leased_until IS NULL OR leased_until <= now())
        AND refund_no <> ALL(p_made)
        AND EXISTS (SELECT 1 FROM chargebacks b WHERE b.account_id = p_account
            AND b.attempt_id = p_attempt AND b.payment = p_payment
            AND (b.returned > b.returned_posted OR b.lost > 0));
    PERFORM refund_denied(p_account, v_order, p_attempt, p_payment);
END $$;

-- Rupiah of a payment that left by refunds of ours or by the provider itself, as the books have it.
CREATE FUNCTION refund_gone(p_account uuid, p_attempt uuid, p_payment text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT b.returned_posted FROM chargebacks b WHERE b.account_id = p_account
                     AND b.attempt_id = p_attempt AND b.payment = p_payment), 0)
        + coalesce((SELECT sum(r.amount)::bigint FROM refunds r WHERE r.account_id = p_account
                    AND r.attempt_id = p_attempt AND r.payment = p_payment
                    AND r.state = 'settled'), 0);
$$;

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
        SELECT p_amount - posted - returned_posted INTO v_amount FROM chargebacks
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

-- Of one payment: what its order has no use for and is not on its way back.  All of a payment that
-- was not settled with its order yet.
CREATE OR REPLACE FUNCTION refund_unassigned(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT c.amount
        - coalesce((SELECT b.posted + b.returned_posted - b.lost FROM chargebacks b WHERE b.account_id = p_account
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

-- What the issuer took back of a payment, or the provider gave back of its own accord, goes out of the books of its order, and of no other: as a
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
    v_back bigint;
    v_back_posted bigint;
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    SELECT amount INTO v_captured FROM captures WHERE account_id = p_account
        AND attempt_id = p_attempt AND payment = p_payment AND learned_by <> 'denial';
    SELECT CASE WHEN is_whole THEN v_captured ELSE least(taken_back, v_captured) END - posted, posted,
        least(returned, v_captured) - returned_posted, returned_posted
    INTO v_new, v_posted, v_back, v_back_posted FROM chargebacks
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
    IF v_back > 0 THEN
        UPDATE chargebacks SET returned_posted = returned_posted + v_back, lost = lost + v_back
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
        PERFORM ledger_post(p_account,
            'given_back:' || p_attempt || ':' || p_payment || ':' || v_back_posted + v_back,
            'payment_given_back', p_order,
            ARRAY['bank_clearing', 'denied_loss'], ARRAY[v_back, -v_back]);
    END IF;
    v_lost := refund_recover(p_account, p_order, p_attempt, p_payment);
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_lost;
END $$;

-- Nothing of an order is left: its money went to the issuer, or back to the buyer.
CREATE FUNCTION refund_end_order(p_account uuid, p_order uuid, p_is_denied boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_is_denied THEN
        PERFORM order_close(p_account, p_order, 'denied');
    ELSE
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
END $$;

-- The part of refund_recover that is about the order itself, where this payment paid it.
CREATE OR REPLACE FUNCTION refund_recover_order(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
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
    v_is_denied boolean;
BEGIN
    -- What the provider gave back without any issuer's word is the buyer's refund.
    SELECT b.lost, b.posted >= c.amount, b.posted > 0 INTO v_lost, v_is_whole, v_is_denied
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
        PERFORM refund_end_order(p_account, p_order, v_is_denied);
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
        PERFORM refund_end_order(p_account, p_order, v_is_denied);
    END IF;
    IF v_rest > 0 THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'remainder',
            'remainder:' || p_attempt || ':' || p_payment || ':'
                || coalesce(v_lot.returned, 0) + v_free);
    END IF;
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_lost;
END $$;

-- Say how an open item ended.  Money in the book leaves it as `returned` (the provider has given it
-- back to its payer) or as `explained` (it is being captured for its order), and is never dismissed.
-- News that a payment of ours was given back ends in no way before that money has left the books.
-- Answers 'resolved', 'known' (it was resolved before), 'unknown', or 'money_is_booked'.
CREATE OR REPLACE FUNCTION suspense_resolve(p_item uuid, p_resolution text, p_by text, p_note text)
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
    IF v_item.reason = 'refunded_there' AND EXISTS (
        SELECT 1 FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
        WHERE c.payment = v_item.payment AND a.reference = v_item.reference
            AND c.learned_by <> 'denial'
            AND refund_gone(c.account_id, c.attempt_id, c.payment)
                < least(coalesce(v_item.amount, c.amount), c.amount)) THEN
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
