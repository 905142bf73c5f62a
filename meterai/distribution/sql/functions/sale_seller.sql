-- Returns the name of the seller for the buyer: that of the distributor, or that of a reseller with its distributor.
CREATE OR REPLACE FUNCTION sale_seller(p_sale sales, p_distributor text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_sale.reseller_id IS NULL THEN p_distributor ELSE (
        SELECT r.name || ' (' || p_distributor || ')' FROM resellers r
        WHERE r.account_id = p_sale.account_id AND r.reseller_id = p_sale.reseller_id) END;
$$;
