-- A part of a loss is no loss: it was found in these books.  Answers the loss that is left.
CREATE OR REPLACE FUNCTION refund_found(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_found bigint,
    p_books text[], p_amounts bigint[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_number bigint;
    v_lost bigint;
BEGIN
    UPDATE chargebacks SET lost = lost - p_found, findings = findings + 1
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment
    RETURNING findings, lost INTO v_number, v_lost;
    PERFORM ledger_post(p_account,
        'recovered:' || p_attempt || ':' || p_payment || ':' || v_number, 'loss_recovered',
        p_order, p_books || 'denied_loss'::text, p_amounts || p_found);
    RETURN v_lost;
END $$;
