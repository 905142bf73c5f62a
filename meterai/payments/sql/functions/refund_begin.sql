-- Begin a refund of `p_amount` rupiah of a payment, or of less if less is left beside the `p_used` rupiah that its subject
-- uses.  Answers the rupiah of the refund; nothing is begun if this cause has a refund already.
-- Public: orders, which decides why and how much money goes back.
CREATE OR REPLACE FUNCTION refund_begin(
    p_account uuid, p_refund uuid, p_cause_key text, p_cause text, p_subject uuid, p_attempt uuid,
    p_payment text, p_amount bigint, p_stamps integer, p_used bigint, p_refund_no text,
    p_due_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    PERFORM payment_lock(p_account, p_attempt);
    v_amount := least(p_amount, coalesce(payment_left(p_account, p_attempt, p_payment, p_used), 0));
    IF v_amount <= 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO refunds (account_id, refund_id, cause_key, cause, order_id, attempt_id, payment,
                         amount, stamps, refund_no, due_at)
    VALUES (p_account, p_refund, p_cause_key, p_cause, p_subject, p_attempt, p_payment, v_amount,
            p_stamps, p_refund_no, p_due_at)
    ON CONFLICT ON CONSTRAINT one_refund_per_cause DO NOTHING;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM ledger_post(p_account, 'refund:' || p_refund, 'refund_requested', p_subject,
                        ARRAY['buyer_funds', 'refunds_payable'], ARRAY[-v_amount, v_amount]);
    PERFORM emit(p_account, 'refund_requested', jsonb_build_object('refund', p_refund));
    RETURN v_amount;
END $$;
