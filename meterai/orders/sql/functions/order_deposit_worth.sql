-- Rupiah that an order brought to a deposit and that were not taken out again; null where it brought none.
CREATE OR REPLACE FUNCTION order_deposit_worth(p_account uuid, p_order uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT added - withdrawn FROM order_deposits WHERE account_id = p_account AND order_id = p_order;
$$;
