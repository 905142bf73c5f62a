-- Makes a sale of stamps: the deposit pays at once, or the sale waits behind the waiting ones. The same key of the same
-- seller, the distributor or one of its resellers, finds the same sale. The transaction touches one account: an event
-- makes the buyer's order. Refuses 'seller_not_open', 'reseller_not_open', 'reseller_day_spent',
-- 'sales_of_buyer_spent'.
CREATE OR REPLACE FUNCTION sale_make(
    p_account uuid, p_sale uuid, p_key text, p_request bytea, p_buyer uuid, p_order uuid, p_attempt uuid,
    p_quantity integer, p_price bigint, p_fee bigint, p_reference text, p_due_seconds double precision,
    p_waits_seconds double precision, p_returns_seconds double precision, p_of_buyer_max integer,
    p_reseller uuid DEFAULT NULL
) RETURNS TABLE (created boolean, id uuid, request bytea)
LANGUAGE plpgsql AS $$
DECLARE
    v_seller distributors;
    v_terms distributor_terms;
    v_reseller resellers;
    v_sale sales;
    v_now timestamptz := now();
    v_is_taken boolean;
BEGIN
    -- Serializes the sales of one seller, so that two cannot take the same rupiah.
    SELECT * INTO v_seller FROM distributors WHERE account_id = p_account FOR UPDATE;
    RETURN QUERY SELECT false, s.sale_id, s.request_hash FROM sales s
    WHERE s.account_id = p_account AND s.idempotency_key = p_key AND s.reseller_id IS NOT DISTINCT FROM p_reseller;
    IF FOUND THEN
        RETURN;
    END IF;
    IF v_seller.state IS DISTINCT FROM 'open' THEN
        PERFORM refuse('seller_not_open', jsonb_build_object('state', coalesce(v_seller.state, 'none')));
    END IF;
    IF p_reseller IS NOT NULL THEN
        SELECT * INTO v_reseller FROM resellers r WHERE r.account_id = p_account AND r.reseller_id = p_reseller;
        IF v_reseller.state IS DISTINCT FROM 'open' THEN
            PERFORM refuse('reseller_not_open', jsonb_build_object('state', coalesce(v_reseller.state, 'none')));
        END IF;
        IF reseller_sold(p_account, p_reseller, v_now) + p_quantity * (p_price + p_fee) > v_reseller.day_rupiah THEN
            PERFORM refuse('reseller_day_spent', jsonb_build_object('day_rupiah', v_reseller.day_rupiah));
        END IF;
    END IF;
    IF (SELECT count(*) FROM (SELECT 1 FROM sales s WHERE s.account_id = p_account AND s.buyer_id = p_buyer
            AND s.made_at > v_now - interval '1 day' LIMIT p_of_buyer_max) AS found) >= p_of_buyer_max THEN
        PERFORM refuse('sales_of_buyer_spent', jsonb_build_object('sales_max', p_of_buyer_max));
    END IF;
    SELECT * INTO v_terms FROM distributor_terms t
    WHERE t.account_id = p_account AND t.terms_id = v_seller.terms_id;
    v_is_taken := coalesce(ledger_free(p_account, 'deposits'), 0) >= p_quantity * (p_price + p_fee)
        AND NOT EXISTS (SELECT 1 FROM sales s WHERE s.account_id = p_account AND s.state = 'waiting' AND s.waits_until > v_now);
    INSERT INTO sales (account_id, sale_id, idempotency_key, request_hash, buyer_id, order_id, attempt_id, quantity,
                       unit_price, service_fee, due_seconds, reference, state, waits_until, taken_at, reseller_id)
    VALUES (p_account, p_sale, p_key, p_request, p_buyer, p_order, p_attempt, p_quantity, p_price, p_fee, p_due_seconds,
            p_reference, CASE WHEN v_is_taken THEN 'taken' ELSE 'waiting' END,
            v_now + make_interval(secs => CASE v_terms.short WHEN 'return' THEN p_returns_seconds ELSE p_waits_seconds END),
            CASE WHEN v_is_taken THEN v_now END, p_reseller)
    RETURNING * INTO v_sale;
    IF v_is_taken THEN
        PERFORM sale_post(v_sale);
    ELSIF v_terms.short = 'retail' THEN
        PERFORM emit(p_account, 'sale_offered', jsonb_build_object(
            'sale', p_sale, 'buyer', p_buyer, 'order', p_order, 'seller', sale_seller(v_sale, v_terms.seller),
            'quantity', p_quantity, 'total', sale_total(v_sale)));
    END IF;
    PERFORM sale_tell(v_sale, v_terms.seller);
    RETURN QUERY SELECT true, p_sale, p_request;
END $$;
