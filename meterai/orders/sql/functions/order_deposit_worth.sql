-- Rupiah that an order added to a deposit, less those withdrawn since; null if the order is not of a deposit.
CREATE OR REPLACE FUNCTION order_deposit_worth(p_account uuid, p_order uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT added - withdrawn FROM order_deposits WHERE account_id = p_account AND order_id = p_order;
$$;
