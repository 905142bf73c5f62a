-- Place an order like `order_place_by_method`, by the first rail; called by processes of an earlier release.
CREATE OR REPLACE FUNCTION order_place(
    p_account uuid, p_order uuid, p_key text, p_request bytea, p_kind text, p_quantity integer,
    p_price bigint, p_fee bigint, p_lapses_seconds double precision,
    p_due_seconds double precision, p_attempt uuid, p_reference text,
    p_lease_seconds double precision, p_unpaid_max integer DEFAULT 2147483647
) RETURNS TABLE (created boolean, id uuid, request bytea, placed timestamptz, lapses timestamptz)
LANGUAGE sql AS $$
    SELECT * FROM order_place_by_method(
        p_account, p_order, p_key, p_request, p_kind, p_quantity, p_price, p_fee, p_lapses_seconds,
        p_due_seconds, p_attempt, p_reference, p_lease_seconds, p_unpaid_max, 'bank', 'qris');
$$;
