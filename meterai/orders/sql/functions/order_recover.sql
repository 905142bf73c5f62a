-- Book the sum of a payment that was charged back, and cover it from the order.  First the money that the order does not
-- use covers it; then, if the payment paid the order, its unexecuted money and unused stamps, or the unsold part of its
-- deposit.  Stamps in use are retired when they become free.  Value beyond the loss is returned to the buyer.
-- Called after every chargeback, and whenever a part of the order becomes free.  The caller then calls
-- `order_finish_refunds`.
CREATE OR REPLACE FUNCTION order_recover(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_loss record;
    v_lost bigint;
    v_rest bigint := 0;
    v_unit bigint;
    v_free integer := 0;
    v_is_issued boolean;
BEGIN
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    PERFORM payment_book_loss(p_account, p_attempt, p_payment);
    v_lost := payment_find_loss(p_account, p_attempt, p_payment,
                                order_used(p_account, p_order, p_attempt, p_payment));
    SELECT * INTO v_loss FROM payment_loss(p_account, p_attempt, p_payment);
    IF (v_order.paid_attempt, v_order.paid_payment) IS DISTINCT FROM (p_attempt, p_payment)
        OR (v_order.kind <> 'deposit' AND v_order.state NOT IN ('paid', 'executed', 'denied')) OR v_loss.findings IS NULL THEN
        RETURN;
    END IF;
    v_is_issued := stamps_are_issued(p_account, p_order);
    v_unit := v_order.unit_price + v_order.service_fee;
    IF v_is_issued AND v_lost > 0 THEN
        -- Documents whose stamping has not begun end together, as they belong to one order.
        v_free := stamps_undo(p_account, p_order, CASE v_order.kind
            WHEN 'stamps' THEN (v_lost + v_unit - 1) / v_unit END, 'stamps_recovered');
        v_rest := v_free * v_unit - least(v_lost, v_free * v_unit);
    ELSIF v_order.kind = 'deposit' AND v_order.state <> 'paid' AND v_lost > 0 THEN
        PERFORM order_deposit_undo(p_account, p_order, v_lost, 'deposit_recovered',
            'withdrawn:' || p_attempt || ':' || p_payment || ':' || v_loss.findings);
        IF v_loss.is_whole AND v_order.state = 'executed' THEN
            PERFORM order_end(p_account, p_order, v_loss.is_denied);
        END IF;
    ELSIF v_order.state = 'paid' AND NOT v_is_issued AND v_lost > 0 THEN
        v_rest := v_order.total - least(v_lost, v_order.total);
        -- If the provider returned the money without a chargeback, it counts as a refund to the buyer.
        PERFORM order_end(p_account, p_order, v_loss.is_denied);
    END IF;
    v_lost := payment_find_loss(p_account, p_attempt, p_payment,
                                order_used(p_account, p_order, p_attempt, p_payment));
    IF v_is_issued THEN
        PERFORM stamps_owe(p_account, p_order, (v_lost + v_unit - 1) / v_unit);
        -- No stamp is in use also if an owed stamp was retired because its stamping failed.
        IF v_order.state <> 'denied' AND (v_loss.is_whole OR NOT stamps_are_in_use(p_account, p_order)) THEN
            PERFORM order_end(p_account, p_order, v_loss.is_denied);
        END IF;
    END IF;
    IF v_rest > 0 THEN
        PERFORM payment_give_back(p_account, p_order, p_attempt, p_payment, v_rest, 'remainder',
            'remainder:' || p_attempt || ':' || p_payment || ':' || v_loss.findings);
    END IF;
END $$;
