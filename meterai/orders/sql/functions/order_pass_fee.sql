-- Give a seller the fee for each outstanding stamp of an executed order: a missing sum is passed on, a surplus called
-- back.  If the order is not executed, the fee can only decrease.  A repeat moves nothing.  A handler of the event makes
-- the entry in the seller's account.
CREATE OR REPLACE FUNCTION order_pass_fee(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_seller order_sellers;
    v_passed bigint;
    v_number integer;
    v_stamps bigint;
    v_amount bigint;
BEGIN
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    SELECT * INTO v_seller FROM order_sellers WHERE account_id = p_account AND order_id = p_order;
    SELECT coalesce(sum(stamps), 0), count(*) + 1 INTO v_passed, v_number FROM order_fees
    WHERE account_id = p_account AND order_id = p_order;
    v_stamps := coalesce(stamps_worth(p_account, p_order), 0) / (v_order.unit_price + v_order.service_fee);
    IF v_order.state <> 'executed' THEN
        v_stamps := least(v_stamps, v_passed);
    END IF;
    v_stamps := v_stamps - v_passed;
    IF v_stamps = 0 THEN
        RETURN;
    END IF;
    v_amount := v_stamps * v_order.seller_fee;
    INSERT INTO order_fees (account_id, order_id, number, stamps, amount)
    VALUES (p_account, p_order, v_number, v_stamps, v_amount);
    -- The subject of the entry is the seller, so that the fee does not count among the entries of the buyer's order.
    PERFORM ledger_post(p_account, 'fee:' || p_order || ':' || v_number,
        CASE WHEN v_stamps > 0 THEN 'fee_passed_on' ELSE 'fee_called_back' END, v_seller.seller_id,
        ARRAY['bank_clearing', 'service_fee'], ARRAY[v_amount, -v_amount]);
    PERFORM emit(p_account, 'fee_passed', jsonb_build_object(
        'order', p_order, 'seller', v_seller.seller_id, 'number', v_number, 'stamps', v_stamps, 'amount', v_amount));
END $$;
