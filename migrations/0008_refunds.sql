-- Refunds: money given back, by itself or because it was asked for.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE refunds (
    account_id      uuid        NOT NULL,
    refund_id       uuid        NOT NULL,
    cause_key       text        NOT NULL,  -- made from the cause: one cause, one refund
    cause           text        NOT NULL,
    order_id        uuid        NOT NULL,
    attempt_id      uuid        NOT NULL,
    payment         text        NOT NULL,
    amount          bigint      NOT NULL,
    stamps          integer     NOT NULL DEFAULT 0,
    state           text        NOT NULL DEFAULT 'requested',
    refund_no       text        NOT NULL,  -- ours, at the provider: the same in every try
    provider_refund_no text,
    requested_at    timestamptz NOT NULL DEFAULT now(),
    due_at          timestamptz NOT NULL,
    try_at          timestamptz NOT NULL DEFAULT now(),
    tries           integer     NOT NULL DEFAULT 0,
    last_answer     text,
    settled_at      timestamptz,
    CONSTRAINT refunds_pkey PRIMARY KEY (account_id, refund_id),
    CONSTRAINT one_refund_per_cause UNIQUE (account_id, cause_key),
    CONSTRAINT refund_has_an_amount CHECK (amount > 0 AND stamps >= 0),
    CONSTRAINT refund_cause_is_known CHECK (cause IN
        ('not_executed', 'not_stamped', 'asked', 'short', 'excess', 'double', 'late')),
    CONSTRAINT refund_state_is_known
        CHECK (state IN ('requested', 'sent', 'refused', 'settled', 'void')),
    CONSTRAINT refund_is_settled_with_proof
        CHECK ((state = 'settled') = (settled_at IS NOT NULL AND provider_refund_no IS NOT NULL)),
    CONSTRAINT refund_is_of_an_order FOREIGN KEY (account_id, order_id) REFERENCES orders,
    CONSTRAINT refund_is_of_a_capture
        FOREIGN KEY (account_id, attempt_id, payment) REFERENCES captures
);
CREATE INDEX refunds_to_try ON refunds (try_at) WHERE state IN ('requested', 'sent', 'refused');
CREATE INDEX refunds_by_order ON refunds (account_id, order_id);

-- Move money of a payment onto its way back.  Unused stamps that come back with it are named by
-- the book they leave.  Answers false if this cause has its refund already.
CREATE FUNCTION refund_request(
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
    IF p_book = 'stamps_available' THEN  -- executed before, undone now
        SELECT * INTO v_order FROM orders
        WHERE account_id = p_account AND order_id = p_order;
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

-- What was paid for an order and is not executed by its due time turns round.  Answers the
-- state of the order.
CREATE FUNCTION refund_not_executed(
    p_account uuid, p_order uuid, p_refund uuid, p_refund_no text, p_due_at timestamptz
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state <> 'paid' OR EXISTS (
        SELECT 1 FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order) THEN
        RETURN v_order.state;
    END IF;
    PERFORM refund_request(p_account, p_refund, 'not_executed:' || p_order, 'not_executed',
        p_order, v_order.paid_attempt, v_order.paid_payment, v_order.total, 0, NULL,
        p_refund_no, p_due_at);
    PERFORM order_close(p_account, p_order, 'returning');
    RETURN 'returning';
END $$;

-- Give back every unused stamp of an order with its money.  Answers how many there were.
CREATE FUNCTION refund_unused(
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
    v_free := stamps_return(p_account, p_order);
    IF v_free = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
    IF v_order.state = 'denied' THEN
        -- The issuer has given the buyer everything back already, while this stamp was being
        -- affixed; it was not, so what was counted as a loss is none.
        PERFORM ledger_post(p_account, 'recovered:' || p_cause_key, 'loss_recovered',
            p_order,
            ARRAY['buyer_funds', 'denied_loss', v_lot.book, 'stamps_issued'],
            ARRAY[-v_free * (v_lot.unit_price + v_lot.service_fee),
                  v_free * (v_lot.unit_price + v_lot.service_fee),
                  -v_free::bigint, v_free::bigint]);
        RETURN 0;
    END IF;
    PERFORM refund_request(p_account, p_refund, p_cause_key, p_cause, p_order,
        v_order.paid_attempt, v_order.paid_payment,
        v_free * (v_lot.unit_price + v_lot.service_fee), v_free, v_lot.book, p_refund_no,
        p_due_at);
    IF v_lot.returned = v_lot.issued THEN
        PERFORM order_close(p_account, p_order, 'returning');
    END IF;
    RETURN v_free;
END $$;

-- The provider has given the money back.  Answers the state of the refund.
CREATE FUNCTION refund_settle(p_account uuid, p_refund uuid, p_provider_no text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    UPDATE refunds SET state = 'settled', settled_at = now(), provider_refund_no = p_provider_no
    WHERE account_id = p_account AND refund_id = p_refund AND state IN ('sent', 'refused')
    RETURNING * INTO v_refund;
    IF NOT FOUND THEN
        RETURN (SELECT state FROM refunds WHERE account_id = p_account AND refund_id = p_refund);
    END IF;
    PERFORM ledger_post(p_account, 'settled:' || p_refund, 'refund_settled', v_refund.order_id,
        ARRAY['refunds_payable', 'bank_clearing'], ARRAY[-v_refund.amount, v_refund.amount]);
    PERFORM refund_finish_order(p_account, v_refund.order_id);
    PERFORM emit(p_account, 'refund_settled', jsonb_build_object('refund', p_refund));
    RETURN 'settled';
END $$;

CREATE FUNCTION refund_finish_order(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order
        AND state = 'returning' FOR UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT 1 FROM refunds WHERE account_id = p_account AND order_id = p_order
            AND state IN ('requested', 'sent', 'refused')) THEN
        PERFORM order_close(p_account, p_order, 'returned');
    END IF;
END $$;

-- The issuer took a settled payment back.  Each rupiah of it is found again: on its way back to
-- the buyer (the refund is void), in flight, in stamps nobody used (they leave the world); only
-- what is left is our loss.  Answers the loss.
CREATE FUNCTION refund_denied(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_lot stamp_lots;
    v_is_payer boolean;
    v_requested bigint;       -- of the surplus, already turned into refunds
    v_voided bigint;          -- refunds stopped before they went out
    v_in_flight bigint := 0;
    v_undone bigint := 0;     -- executed, and undone now
    v_free integer := 0;
    v_loss bigint;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    v_is_payer := coalesce(
        v_order.paid_attempt = p_attempt AND v_order.paid_payment = p_payment, false);
    SELECT coalesce(sum(amount), 0) INTO v_requested FROM refunds
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
        AND cause IN ('short', 'excess', 'double', 'late');
    WITH voided AS (
        UPDATE refunds SET state = 'void'
        WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
            AND state IN ('requested', 'refused')
        RETURNING amount)
    SELECT coalesce(sum(amount), 0) INTO v_voided FROM voided;
    v_in_flight := p_amount - v_requested
        - CASE WHEN v_is_payer THEN v_order.total ELSE 0 END;
    IF v_is_payer AND v_order.state IN ('paid', 'executed') THEN
        v_free := stamps_return(p_account, p_order);
        SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
        IF v_lot.lot_id IS NULL THEN
            v_in_flight := v_in_flight + v_order.total;
        ELSIF v_lot.book = 'stamps_ordered' THEN
            v_in_flight := v_in_flight + v_free * (v_lot.unit_price + v_lot.service_fee);
        ELSE
            v_undone := v_free;
        END IF;
        PERFORM order_close(p_account, p_order, 'denied');
    END IF;
    v_loss := p_amount - v_voided - v_in_flight
        - v_undone * (v_order.unit_price + v_order.service_fee);
    PERFORM ledger_post(
        p_account, 'denied:' || p_attempt || ':' || p_payment, 'payment_denied', p_order,
        ARRAY['bank_clearing', 'refunds_payable', 'buyer_funds', 'duty_payable', 'service_fee',
              'denied_loss', coalesce(v_lot.book, 'stamps_available'), 'stamps_issued'],
        ARRAY[p_amount, -v_voided, -v_in_flight, -v_undone * v_order.unit_price,
              -v_undone * v_order.service_fee, -v_loss, -v_free::bigint, v_free::bigint]);
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_loss;
END $$;

-- A refund that was already under way when its payment was denied has been refused: nothing is
-- owed to the buyer, who has the money from the issuer, and the loss was none.
CREATE FUNCTION refund_void(p_account uuid, p_refund uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
BEGIN
    UPDATE refunds SET state = 'void'
    WHERE account_id = p_account AND refund_id = p_refund AND state IN ('sent', 'refused')
    RETURNING * INTO v_refund;
    IF FOUND THEN
        PERFORM ledger_post(p_account, 'void:' || p_refund, 'refund_void', v_refund.order_id,
            ARRAY['refunds_payable', 'denied_loss'], ARRAY[-v_refund.amount, v_refund.amount]);
        PERFORM refund_finish_order(p_account, v_refund.order_id);
    END IF;
END $$;
