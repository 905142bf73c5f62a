-- Rupiah of an order that are neither executed nor back.
-- Public: refunds, which ends an order when nothing of it is on its way.
CREATE OR REPLACE FUNCTION order_in_flight(p_account uuid, p_order uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT ledger_in_flight(p_account, p_order);
$$;
