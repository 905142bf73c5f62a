-- Find the loss of a payment again in what is left of the payment itself, in this sequence: what
-- its order has no use for, refunds that nobody was asked for yet or that were refused, and, of the
-- payment that the order was paid with, money that is not executed and stamps that nobody uses.
-- What a stopped refund or a stamp was worth beyond the loss goes back to the buyer.  Called after
-- every denial and whenever something of the order comes free.  Answers the loss that is left.
CREATE OR REPLACE FUNCTION refund_recover(p_account uuid, p_order uuid, p_attempt uuid, p_payment text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_lost bigint;
    v_found bigint;
    v_refund refunds;
BEGIN
    SELECT lost INTO v_lost FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    ELSIF v_lost > 0 THEN
        PERFORM ledger_lock(p_account);
    END IF;
    v_found := least(v_lost, refund_unassigned(p_account, p_order, p_attempt, p_payment));
    IF v_found > 0 THEN
        v_lost := refund_found(p_account, p_order, p_attempt, p_payment, v_found,
                               ARRAY['buyer_funds'], ARRAY[-v_found]);
    END IF;
    FOR v_refund IN
        SELECT * FROM refunds WHERE account_id = p_account AND order_id = p_order
            AND attempt_id = p_attempt AND payment = p_payment
            AND state IN ('requested', 'refused')
        ORDER BY refund_id FOR UPDATE
    LOOP
        EXIT WHEN v_lost = 0;
        v_lost := refund_stop(v_refund);
    END LOOP;
    RETURN refund_recover_order(p_account, p_order, p_attempt, p_payment);
END $$;
