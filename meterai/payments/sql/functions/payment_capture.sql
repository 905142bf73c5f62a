-- Book a payment that was reported by a notification, an answer to a query or a record.  Answers:
--   captured
--   known            the payment was captured before
--   amount_differs   the payment was captured before with another amount; nothing is moved
--   elsewhere        the payment counts under another reference, or its money in suspense differs; nothing is moved
--   contradicts      a notification reports the payment after news that it failed; nothing is moved
--   unknown_attempt
-- Notifications have no order in time, and the answer to a query is current, so that a contradicting notification causes a
-- query.
-- Public: distribution and collectors, whose rails are our own database.
CREATE OR REPLACE FUNCTION payment_capture(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint, p_learned_by text
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
    v_known captures;
    -- The attempt is queried again later, since a second payment may come without news; not while the first is executed.
    v_again timestamptz := now() + interval '5 minutes';
    v_now timestamptz := now();
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    SELECT * INTO v_known FROM captures
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
    IF p_learned_by = 'notification' AND (v_attempt.state = 'declined' AND NOT FOUND
                                          OR v_known.denied_at IS NOT NULL) THEN
        UPDATE payment_attempts SET ask_at = least(ask_at, v_now), ask_rank = 0
        WHERE account_id = p_account AND attempt_id = p_attempt;
        IF v_known.payment IS NULL THEN
            RETURN 'contradicts';
        END IF;
    END IF;
    IF v_known.payment IS NOT NULL THEN
        -- Rows learned by 'denial' are of earlier versions: a chargeback before its payment made a capture of the sum taken.
        RETURN CASE WHEN v_known.amount = p_amount OR v_known.learned_by = 'denial' THEN 'known'
                    ELSE 'amount_differs' END;
    END IF;
    PERFORM payment_number_lock(p_payment);
    IF payment_is_elsewhere(p_account, p_attempt, p_payment)
        OR NOT suspense_captured(p_payment, p_amount) THEN
        RETURN 'elsewhere';
    END IF;
    INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by, confirmed_at)
    VALUES (p_account, p_attempt, p_payment, p_amount, p_learned_by,
            CASE p_learned_by WHEN 'notification' THEN NULL ELSE v_now END);
    -- Also if no more queries were due: the provider must confirm a notification in its answer to a query.
    UPDATE payment_attempts SET state = 'paid', ask_rank = 1,
        ask_at = CASE ask_at WHEN 'infinity' THEN v_again ELSE greatest(ask_at, v_again) END
    WHERE account_id = p_account AND attempt_id = p_attempt AND state <> 'denied';
    PERFORM ledger_post(
        p_account, 'captured:' || p_attempt || ':' || p_payment, 'payment_captured',
        v_attempt.subject,
        ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-p_amount, p_amount]);
    PERFORM emit(p_account, 'payment_captured', jsonb_build_object(
        'attempt', p_attempt, 'payment', p_payment, 'subject', v_attempt.subject,
        'amount', p_amount));
    RETURN 'captured';
END $$;
