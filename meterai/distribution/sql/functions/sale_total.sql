-- Returns the rupiah that a sale takes from the deposit.
CREATE OR REPLACE FUNCTION sale_total(p_sale sales) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT p_sale.quantity * (p_sale.unit_price + p_sale.service_fee);
$$;
