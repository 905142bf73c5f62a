-- Book that only p_made rupiah of a settled refund are with the buyer, according to the provider's record.  The rest goes to
-- the buyer by another refund with another number.  Answers the rupiah that came back in addition to those booked before.
CREATE OR REPLACE FUNCTION refund_reversed(p_account uuid, p_refund uuid, p_made bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_refund refunds;
    v_back bigint;
    v_entry text;
BEGIN
    SELECT * INTO v_refund FROM refund_lock(p_account, p_refund);
    v_back := v_refund.amount - p_made - v_refund.reversed;
    IF v_refund.state IS DISTINCT FROM 'settled' OR v_back <= 0 THEN
        RETURN 0;
    END IF;
    UPDATE refunds SET reversed = reversed + v_back
    WHERE account_id = p_account AND refund_id = p_refund;
    v_entry := 'reversed:' || p_refund || ':' || v_refund.reversed + v_back;
    PERFORM ledger_lock(p_account);
    PERFORM ledger_post(p_account, v_entry, 'refund_reversed', v_refund.order_id,
        ARRAY[CASE v_refund.way WHEN 'transfer' THEN 'refund_float' ELSE 'bank_clearing' END, 'buyer_funds'], ARRAY[-v_back, v_back]);
    PERFORM payment_tell_moved(p_account, v_refund.attempt_id, v_refund.payment, v_refund.order_id,
        v_back, v_entry);
    RETURN v_back;
END $$;
