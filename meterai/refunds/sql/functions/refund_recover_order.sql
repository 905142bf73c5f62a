-- The part of refund_recover that is about the order itself, where this payment paid it.
CREATE OR REPLACE FUNCTION refund_recover_order(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_lot stamp_lots;
    v_lost bigint;
    v_is_whole boolean;
    v_unit bigint;
    v_free integer := 0;
    v_rest bigint := 0;
    v_is_denied boolean;
BEGIN
    -- What the provider gave back without any issuer's word is the buyer's refund.
    SELECT b.lost, b.posted - b.won >= c.amount, b.posted > b.won INTO v_lost, v_is_whole, v_is_denied
    FROM chargebacks b JOIN captures c USING (account_id, attempt_id, payment)
    WHERE b.account_id = p_account AND b.attempt_id = p_attempt AND b.payment = p_payment;
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order
        AND paid_attempt = p_attempt AND paid_payment = p_payment FOR UPDATE;
    IF NOT FOUND OR v_order.state NOT IN ('paid', 'executed', 'denied') THEN
        RETURN v_lost;
    END IF;
    SELECT * INTO v_lot FROM stamp_lots WHERE account_id = p_account AND lot_id = p_order;
    IF v_lot.lot_id IS NULL AND v_lost > 0 AND v_order.state = 'paid' THEN
        v_rest := v_order.total - least(v_lost, v_order.total);
        v_lost := refund_found(p_account, p_order, p_attempt, p_payment,
            v_order.total - v_rest, ARRAY['buyer_funds'], ARRAY[v_rest - v_order.total]);
        PERFORM refund_end_order(p_account, p_order, v_is_denied);
    ELSIF v_lot.lot_id IS NOT NULL AND v_lost > 0 THEN
        v_unit := v_lot.unit_price + v_lot.service_fee;
        -- Documents that nobody has begun belong to one order: they go together.
        v_free := stamps_return(p_account, p_order, CASE v_lot.book
            WHEN 'stamps_available' THEN (v_lost + v_unit - 1) / v_unit END);
        IF v_free > 0 THEN
            v_rest := v_free * v_unit - least(v_lost, v_free * v_unit);
            v_lost := refund_found_stamps(p_account, v_order, v_lot, v_free, v_rest);
        END IF;
    END IF;
    IF v_lot.lot_id IS NOT NULL AND v_order.state <> 'denied' AND (v_is_whole
        OR v_lot.returned + v_free = v_lot.issued AND v_free > 0) THEN
        PERFORM refund_end_order(p_account, p_order, v_is_denied);
    END IF;
    IF v_rest > 0 THEN
        PERFORM order_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'remainder',
            'remainder:' || p_attempt || ':' || p_payment || ':'
                || coalesce(v_lot.returned, 0) + v_free);
    END IF;
    PERFORM refund_finish_order(p_account, p_order);
    RETURN v_lost;
END $$;
