-- Place an order with an attempt by a method of a rail; the first order with new terms inserts them.
-- Public: stamping, which places an order with its documents.
CREATE OR REPLACE FUNCTION order_place_by_method(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_kind text, p_quantity integer,
    p_price bigint, p_fee bigint, p_lapses_seconds double precision,
    p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_lease_seconds double precision, p_unpaid_max integer, p_provider text, p_method text
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
    IF p_provider = 'credit' AND p_fee <> 0 THEN
        -- Credit is a debt of duty to the state: nobody would pay a fee, but its seller could have it paid out.
        RAISE check_violation USING MESSAGE = 'credit pays the duty alone', CONSTRAINT = 'credit_pays_duty_alone';
    END IF;
    -- Terms are read first, since an INSERT that finds its row costs twice as much.  Terms are never deleted.
    -- Terms of deposits and credit, which are without our fee, are not stored: they would allow any order without a fee.
    IF p_kind <> 'deposit' AND p_provider <> 'credit'
       AND NOT EXISTS (SELECT 1 FROM sale_terms WHERE unit_price = p_price AND service_fee = p_fee) THEN
        INSERT INTO sale_terms (unit_price, service_fee) VALUES (p_price, p_fee)
        ON CONFLICT ON CONSTRAINT sale_terms_pkey DO NOTHING;
    END IF;
    IF EXISTS (SELECT 1 FROM orders WHERE account_id = p_account AND state = 'placed'
               OFFSET p_unpaid_max / 10) THEN
        -- Concurrent orders do not see each other, so they are serialized once the account has a tenth of the limit.
        -- Nearly all accounts have fewer orders and do not wait.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_account::text, 0));
        IF order_unpaid(p_account, p_unpaid_max) > p_unpaid_max THEN
            PERFORM refuse('too_many_unpaid_orders', jsonb_build_object(
                'unpaid_max', p_unpaid_max));
        END IF;
    END IF;
    PERFORM payment_begin(p_account, p_attempt, p_order, p_provider, p_method, p_reference, v_total,
                          v_lapses, p_lease_seconds);
    RETURN QUERY SELECT true, p_order, p_request, now(), v_lapses;
END $$;
