-- Record that the payer's bank took a payment back, in part or whole, or that a try to pay failed.  `p_amount` is the whole sum
-- taken back of this payment SO FAR, less the sum won back (`won`); null for all of the payment.  News of a sum that is not
-- greater than before changes nothing, so that repeats are harmless.  A caller that learns only the sum of one chargeback must
-- query the provider for the whole sum.
-- Answers:
--   denied           more was taken back than before; a job books it
--   known            not more was taken back than before
--   declined         nothing was captured, so that nothing was taken back: a try to pay failed
--   early            a part of a payment that is not captured yet was taken back; recorded for its capture
--   exceeds          more would be taken back than was captured; nothing is done
--   elsewhere        the payment counts under another reference; nothing is done
--   ambiguous        no payment is named, and several are possible; nothing is done
--   unknown_attempt
-- If `p_payment` is null, the news is about the only capture of the attempt that is not wholly taken back.  It is ambiguous if
-- another capture was taken back by news without a number, since this may be the same news again.
CREATE OR REPLACE FUNCTION payment_deny(
    p_account uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_attempt payment_attempts;
    v_payment text := p_payment;
    v_capture captures;
    v_before bigint := 0;
    v_left integer;
    v_now timestamptz := now();
BEGIN
    SELECT * INTO v_attempt FROM payment_attempts
    WHERE account_id = p_account AND attempt_id = p_attempt FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_attempt';
    END IF;
    IF p_amount <= 0 THEN
        RETURN 'known';
    END IF;
    IF p_payment IS NULL THEN
        SELECT count(*) FILTER (WHERE denied_at IS NULL), min(payment) FILTER (
            WHERE denied_at IS NULL)
        INTO v_left, v_payment FROM captures
        WHERE account_id = p_account AND attempt_id = p_attempt AND learned_by <> 'denial'
        HAVING count(*) > 0;
        IF v_left = 0 THEN
            RETURN 'known';
        ELSIF v_left > 1 OR EXISTS (
            SELECT 1 FROM chargebacks WHERE account_id = p_account AND attempt_id = p_attempt
                AND payment <> v_payment AND NOT is_named) THEN
            RETURN 'ambiguous';
        END IF;
    END IF;
    SELECT * INTO v_capture FROM captures
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = v_payment;
    IF v_payment IS NULL THEN
        RETURN payment_decline(v_attempt);
    ELSIF v_capture.amount IS NULL AND payment_is_elsewhere(p_account, p_attempt, v_payment) THEN
        RETURN 'elsewhere';
    ELSIF v_capture.learned_by = 'denial' THEN
        RETURN 'known';  -- a row of an earlier version, which records the chargeback of a payment not captured yet
    ELSIF p_amount > v_capture.amount THEN
        RETURN 'exceeds';
    ELSIF v_capture.amount IS NULL AND coalesce(p_amount, v_attempt.amount) >= v_attempt.amount THEN
        -- The chargeback is not recorded: a payment with the same number, or with another, may still succeed.
        RETURN payment_decline(v_attempt);
    END IF;
    SELECT taken_back - won INTO v_before FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = v_payment;
    INSERT INTO chargebacks AS c (account_id, attempt_id, payment, subject, taken_back, is_whole, is_named)
    VALUES (p_account, p_attempt, v_payment, v_attempt.subject,
            coalesce(p_amount, v_capture.amount, 0), p_amount IS NULL, p_payment IS NOT NULL)
    ON CONFLICT ON CONSTRAINT chargebacks_pkey DO UPDATE
    SET taken_back = greatest(c.taken_back, c.won + excluded.taken_back), is_whole = c.is_whole OR excluded.is_whole,
        is_named = c.is_named OR excluded.is_named, last_told_at = v_now
    WHERE NOT c.is_whole AND (c.won + excluded.taken_back > c.taken_back
        OR excluded.is_whole AND (v_capture.amount IS NULL OR c.taken_back - c.won < v_capture.amount));
    IF NOT FOUND THEN
        RETURN 'known';
    ELSIF v_capture.amount IS NULL THEN
        UPDATE payment_attempts SET ask_at = least(ask_at, v_now)
        WHERE account_id = p_account AND attempt_id = p_attempt AND state <> 'opening';
        RETURN 'early';
    END IF;
    PERFORM payment_mark_denied(p_account, p_attempt, v_payment);
    PERFORM emit(p_account, 'payment_denied', jsonb_build_object(
        'attempt', p_attempt, 'payment', v_payment, 'subject', v_attempt.subject,
        'amount', coalesce(p_amount, v_capture.amount) - coalesce(v_before, 0)));
    RETURN 'denied';
END $$;
