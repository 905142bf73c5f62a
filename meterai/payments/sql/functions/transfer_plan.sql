-- Plan a transfer of money for the bank account of a buyer that is in no transfer yet, of at most `p_most` rupiah; the rest is
-- left for another transfer.  Answers the rupiah of the transfer; 0 if there is no such money.
CREATE OR REPLACE FUNCTION transfer_plan(
    p_account uuid, p_transfer uuid, p_transfer_no text, p_provider text, p_most bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_payee uuid;
    v_refunds uuid[];
    v_amount bigint;
    v_days uuid[];
    v_numbers integer[];
    v_more bigint;
BEGIN
    -- The lock makes concurrent calls wait, so that each finds only money that the others left.
    SELECT payee_id INTO v_payee FROM payees WHERE account_id = p_account AND ended_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM refunds WHERE account_id = p_account AND way = 'transfer' AND state = 'requested'
    ORDER BY refund_id FOR UPDATE;
    SELECT coalesce(array_agg(refund_id), '{}'), coalesce(sum(amount), 0)::bigint INTO v_refunds, v_amount FROM (
        SELECT refund_id, amount, sum(amount) OVER (ORDER BY refund_id) AS upto FROM refunds
        WHERE account_id = p_account AND way = 'transfer' AND state = 'requested' AND amount <= p_most
            AND NOT transfer_is_open(p_account, transfer_id)) waiting
    WHERE upto <= p_most;
    -- Compensations go together with a refund, or alone once the buyer has no open refund.
    SELECT coalesce(array_agg(refund_id), '{}'), coalesce(array_agg(day), '{}'), coalesce(sum(amount), 0)::bigint
    INTO v_days, v_numbers, v_more FROM (
        SELECT refund_id, day, amount, sum(amount) OVER (ORDER BY refund_id, day) AS upto FROM compensations
        WHERE account_id = p_account AND NOT transfer_is_open(p_account, transfer_id)
            AND (v_amount > 0 OR NOT EXISTS (
                SELECT 1 FROM refunds WHERE account_id = p_account AND refund_is_open(state)))) waiting
    WHERE upto <= p_most - v_amount;
    v_amount := v_amount + v_more;
    IF v_amount = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO transfers (account_id, transfer_id, provider, payee_id, amount, transfer_no)
    VALUES (p_account, p_transfer, p_provider, v_payee, v_amount, p_transfer_no);
    UPDATE refunds SET transfer_id = p_transfer, last_answer = NULL
    WHERE account_id = p_account AND refund_id = ANY (v_refunds);
    UPDATE compensations c SET transfer_id = p_transfer FROM unnest(v_days, v_numbers) AS w (refund_id, day)
    WHERE c.account_id = p_account AND c.refund_id = w.refund_id AND c.day = w.day;
    RETURN v_amount;
END $$;
