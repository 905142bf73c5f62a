-- Cover the loss of a payment from the part that its subject does not use.  `p_used`: rupiah of the payment that the subject
-- uses.  Answers the loss that is left.
-- Public: orders, whenever an order uses less of a payment than before.
CREATE OR REPLACE FUNCTION payment_find_loss(p_account uuid, p_attempt uuid, p_payment text, p_used bigint)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_back chargebacks;
    v_found bigint;
BEGIN
    PERFORM payment_lock(p_account, p_attempt);
    SELECT * INTO v_back FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF coalesce(v_back.lost, 0) = 0 THEN
        RETURN 0;
    END IF;
    v_found := least(v_back.lost, payment_left(p_account, p_attempt, p_payment, p_used));
    IF v_found <= 0 THEN
        RETURN v_back.lost;
    END IF;
    UPDATE chargebacks SET lost = lost - v_found, findings = findings + 1
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
    PERFORM ledger_lock(p_account);
    PERFORM ledger_post(p_account,
        'recovered:' || p_attempt || ':' || p_payment || ':' || v_back.findings + 1, 'loss_recovered',
        v_back.subject, ARRAY['buyer_funds', 'denied_loss'], ARRAY[-v_found, v_found]);
    RETURN v_back.lost - v_found;
END $$;
