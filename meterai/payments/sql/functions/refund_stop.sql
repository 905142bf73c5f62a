-- Stop a refund, since the buyer already got the money, or a part of it, from a bank: that part reduces the loss, and the rest
-- goes back by another refund.  Answers the loss that is left.
CREATE OR REPLACE FUNCTION refund_stop(p_refund refunds) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_found bigint;
    v_lost bigint;
BEGIN
    SELECT least(lost, p_refund.amount) INTO v_found FROM chargebacks
    WHERE account_id = p_refund.account_id AND attempt_id = p_refund.attempt_id
        AND payment = p_refund.payment;
    UPDATE refunds SET state = 'void', wanted_at = NULL
    WHERE account_id = p_refund.account_id AND refund_id = p_refund.refund_id;
    PERFORM suspense_refund_ended(p_refund.refund_no, 'void');
    -- A planned transfer no longer carries the refund.
    UPDATE transfers SET amount = greatest(amount - p_refund.amount, 1), state = CASE WHEN amount = p_refund.amount THEN 'void' ELSE state END
    WHERE account_id = p_refund.account_id AND transfer_id = p_refund.transfer_id AND state = 'planned';
    UPDATE chargebacks SET lost = lost - v_found
    WHERE account_id = p_refund.account_id AND attempt_id = p_refund.attempt_id
        AND payment = p_refund.payment RETURNING lost INTO v_lost;
    PERFORM ledger_post(p_refund.account_id, 'void:' || p_refund.refund_id, 'refund_void',
        p_refund.order_id, ARRAY['refunds_payable', 'denied_loss', 'buyer_funds'],
        ARRAY[-p_refund.amount, v_found, p_refund.amount - v_found]);
    IF v_found < p_refund.amount THEN
        PERFORM payment_give_back(p_refund.account_id, p_refund.order_id, p_refund.attempt_id,
            p_refund.payment, p_refund.amount - v_found, p_refund.cause,
            'rest:' || p_refund.refund_id);
    END IF;
    RETURN v_lost;
END $$;
