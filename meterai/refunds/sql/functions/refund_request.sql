-- Move money of a payment onto its way back.  Unused stamps that come back with it are named by
-- the book they leave.  Answers false if this cause has its refund already.  The caller has locked
-- the order.
CREATE OR REPLACE FUNCTION refund_request(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_order uuid,
    p_attempt uuid, p_payment text, p_amount bigint, p_stamps integer, p_book text,
    p_refund_no text, p_due_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_books text[] := ARRAY['refunds_payable'];
    v_amounts bigint[] := ARRAY[p_amount];
BEGIN
    INSERT INTO refunds (account_id, refund_id, cause_key, cause, order_id, attempt_id, payment,
                         amount, stamps, refund_no, due_at)
    VALUES (p_account, p_refund, p_cause_key, p_cause, p_order, p_attempt, p_payment, p_amount,
            p_stamps, p_refund_no, p_due_at)
    ON CONFLICT ON CONSTRAINT one_refund_per_cause DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE orders SET returning_due_at = greatest(returning_due_at, p_due_at)
    WHERE account_id = p_account AND order_id = p_order RETURNING * INTO v_order;
    IF p_book = 'stamps_available' THEN  -- executed before, undone now
        v_books := v_books || ARRAY['duty_payable', 'service_fee'];
        v_amounts := v_amounts
            || ARRAY[-p_stamps * v_order.unit_price, -p_stamps * v_order.service_fee];
    ELSE
        v_books := v_books || 'buyer_funds'::text;
        v_amounts := v_amounts || -p_amount;
    END IF;
    IF p_stamps > 0 THEN
        v_books := v_books || ARRAY[p_book, 'stamps_issued'];
        v_amounts := v_amounts || ARRAY[-p_stamps::bigint, p_stamps::bigint];
    END IF;
    PERFORM ledger_post(p_account, 'refund:' || p_refund, 'refund_requested', p_order,
                        v_books, v_amounts);
    PERFORM emit(p_account, 'refund_requested', jsonb_build_object('refund', p_refund));
    RETURN true;
END $$;
