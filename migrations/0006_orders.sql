-- Orders: an account asks for stamps, or for documents to be stamped, and pays.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE orders (
    account_id      uuid        NOT NULL,
    order_id        uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    request_hash    bytea       NOT NULL,
    kind            text        NOT NULL,
    quantity        integer     NOT NULL,
    unit_price      bigint      NOT NULL,
    service_fee     bigint      NOT NULL,
    total           bigint      NOT NULL,
    state           text        NOT NULL DEFAULT 'placed',
    due_seconds     double precision NOT NULL,  -- paid and not executed after so long goes back
    placed_at       timestamptz NOT NULL DEFAULT now(),
    lapses_at       timestamptz NOT NULL,
    paid_at         timestamptz,
    due_at          timestamptz,
    closed_at       timestamptz,
    paid_attempt    uuid,
    paid_payment    text,
    CONSTRAINT orders_pkey PRIMARY KEY (account_id, order_id),
    CONSTRAINT one_order_per_key UNIQUE (account_id, idempotency_key),
    CONSTRAINT order_kind_is_known CHECK (kind IN ('stamps', 'documents')),
    CONSTRAINT order_state_is_known CHECK (state IN
        ('placed', 'paid', 'executed', 'lapsed', 'withdrawn', 'returning', 'returned', 'denied')),
    CONSTRAINT order_total_is_the_sum CHECK (
        quantity > 0 AND unit_price > 0 AND service_fee >= 0
        AND total = quantity * (unit_price + service_fee)),
    CONSTRAINT paid_order_knows_its_payment CHECK (
        (state IN ('placed', 'lapsed', 'withdrawn')) =
        (paid_at IS NULL AND paid_attempt IS NULL AND paid_payment IS NULL AND due_at IS NULL))
);
CREATE INDEX orders_to_lapse ON orders (lapses_at) WHERE state = 'placed';
CREATE INDEX orders_in_flight ON orders (due_at) WHERE state = 'paid';

-- Place an order and record the wish to be paid: the hot command of the rush.  A repeat with
-- the same key finds the first.
CREATE FUNCTION order_place(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_kind text, p_quantity integer,
    p_price bigint, p_fee bigint, p_lapses_seconds double precision,
    p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_lease_seconds double precision
) RETURNS TABLE (created boolean, id uuid, request bytea, placed timestamptz, lapses timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_total bigint := p_quantity * (p_price + p_fee);
    v_lapses timestamptz := now() + make_interval(secs => p_lapses_seconds);
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
    PERFORM payment_open(p_account, p_attempt, p_order, p_reference, v_total, v_lapses,
                         p_lease_seconds);
    RETURN QUERY SELECT true, p_order, p_request, now(), v_lapses;
END $$;

-- Money for an order was captured: capture-and-issue.  Every sum and every moment has a named
-- outcome:
--   executed   stamps issued              paid      in flight: documents, or issuing is stopped
--   short      less than the total        double    the order was paid before
--   late       the order is closed        denied    the issuer has already taken it back
-- What is not used for the order (all of it when short, double or late; the rest when too much)
-- is in buyer_funds, and `money_to_return` says so to the room of refunds.
CREATE FUNCTION order_settle(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_cause text;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF EXISTS (SELECT 1 FROM captures WHERE account_id = p_account AND attempt_id = p_attempt
               AND payment = p_payment AND denied_at IS NOT NULL) THEN
        RETURN 'denied';
    END IF;
    IF v_order.paid_attempt = p_attempt AND v_order.paid_payment = p_payment THEN
        RETURN v_order.state;
    END IF;
    v_cause := CASE
        WHEN v_order.state IN ('paid', 'executed', 'returning', 'returned') THEN 'double'
        WHEN v_order.state IN ('withdrawn', 'denied') THEN 'late'
        WHEN p_amount < v_order.total THEN 'short'
    END;
    IF v_cause IS NOT NULL THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, p_amount, v_cause);
        RETURN v_cause;
    END IF;
    UPDATE orders SET state = 'paid', paid_at = now(), paid_attempt = p_attempt,
        paid_payment = p_payment, due_at = now() + make_interval(secs => due_seconds)
    WHERE account_id = p_account AND order_id = p_order;
    IF p_amount > v_order.total THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment,
                                p_amount - v_order.total, 'excess');
    END IF;
    RETURN order_execute(p_account, p_order);
END $$;

CREATE FUNCTION order_give_back(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint, p_cause text
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'money_to_return', jsonb_build_object(
        'order', p_order, 'attempt', p_attempt, 'payment', p_payment, 'amount', p_amount,
        'cause', p_cause));
$$;

-- Try to execute what is paid.  Stamps are issued and the money is executed; documents get
-- stamps of their own, and their money is executed as each is stamped.  Answers the state.
CREATE FUNCTION order_execute(p_account uuid, p_order uuid) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_book text;
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.state <> 'paid' OR EXISTS (
        SELECT 1 FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order) THEN
        RETURN v_order.state;
    END IF;
    v_book := CASE v_order.kind WHEN 'stamps' THEN 'stamps_available' ELSE 'stamps_ordered' END;
    IF NOT stamps_issue(p_account, p_order, v_book, v_order.quantity, v_order.unit_price,
                        v_order.service_fee) THEN
        RETURN 'paid';
    END IF;
    IF v_order.kind = 'documents' THEN
        PERFORM ledger_post(p_account, 'issued:' || p_order, 'stamps_issued', p_order,
            ARRAY['stamps_issued', v_book], ARRAY[-v_order.quantity, v_order.quantity]);
        PERFORM emit(p_account, 'order_paid', jsonb_build_object('order', p_order));
        RETURN 'paid';
    END IF;
    PERFORM ledger_post(p_account, 'issued:' || p_order, 'stamps_issued', p_order,
        ARRAY['stamps_issued', v_book, 'buyer_funds', 'duty_payable', 'service_fee'],
        ARRAY[-v_order.quantity, v_order.quantity, -v_order.total,
              v_order.quantity * v_order.unit_price, v_order.quantity * v_order.service_fee]);
    PERFORM order_close(p_account, p_order, 'executed');
    RETURN 'executed';
END $$;

-- Move an order to a final or nearly final state and tell the rooms above.
CREATE FUNCTION order_close(p_account uuid, p_order uuid, p_state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET state = p_state, closed_at = now()
    WHERE account_id = p_account AND order_id = p_order;
    PERFORM emit(p_account, 'order_' || p_state, jsonb_build_object('order', p_order));
END $$;

-- The time to pay ran out, or the buyer changed their mind.  Answers the state that follows;
-- an order that is no longer merely placed stays as it is.
CREATE FUNCTION order_abandon(p_account uuid, p_order uuid, p_state text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    SELECT state INTO v_state FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_state = 'placed' OR (v_state = 'lapsed' AND p_state = 'withdrawn') THEN
        IF p_state = 'lapsed' THEN
            PERFORM payment_expire(p_account, p_order);
        END IF;
        PERFORM order_close(p_account, p_order, p_state);
        RETURN p_state;
    END IF;
    RETURN v_state;
END $$;

-- The documents of an order are stamped.  Answers false where the order is not merely paid.
CREATE FUNCTION order_finish(p_account uuid, p_order uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orders WHERE account_id = p_account AND order_id = p_order
        AND state = 'paid' AND kind = 'documents' FOR UPDATE;
    IF FOUND THEN
        PERFORM order_close(p_account, p_order, 'executed');
    END IF;
    RETURN FOUND;
END $$;
