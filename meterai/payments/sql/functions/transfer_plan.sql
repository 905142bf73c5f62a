-- Put everything of an account that goes by transfer and is in none into one.  Answers its rupiah; 0: there is nothing.
CREATE OR REPLACE FUNCTION transfer_plan(p_account uuid, p_transfer uuid, p_transfer_no text, p_provider text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_payee uuid;
    v_amount bigint;
    v_has_all boolean;
BEGIN
    -- Locked, so that of two that plan at once the second finds nothing left.
    SELECT payee_id INTO v_payee FROM payees WHERE account_id = p_account AND ended_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM payee_takes(p_account);
    PERFORM 1 FROM refunds WHERE account_id = p_account AND way = 'transfer' AND state = 'requested'
    ORDER BY refund_id FOR UPDATE;
    SELECT coalesce(sum(amount), 0)::bigint INTO v_amount FROM refunds
    WHERE account_id = p_account AND way = 'transfer' AND state = 'requested'
        AND NOT transfer_is_open(p_account, transfer_id);
    -- Compensations go with a refund, or once none is open.
    v_has_all := v_amount > 0
        OR NOT EXISTS (SELECT 1 FROM refunds WHERE account_id = p_account AND refund_is_open(state));
    v_amount := v_amount + (SELECT coalesce(sum(amount), 0)::bigint FROM compensations
        WHERE account_id = p_account AND v_has_all AND NOT transfer_is_open(p_account, transfer_id));
    IF v_amount = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO transfers (account_id, transfer_id, provider, payee_id, amount, transfer_no)
    VALUES (p_account, p_transfer, p_provider, v_payee, v_amount, p_transfer_no);
    UPDATE refunds SET transfer_id = p_transfer WHERE account_id = p_account AND way = 'transfer'
        AND state = 'requested' AND NOT transfer_is_open(p_account, transfer_id);
    UPDATE compensations SET transfer_id = p_transfer WHERE account_id = p_account AND v_has_all
        AND NOT transfer_is_open(p_account, transfer_id);
    RETURN v_amount;
END $$;
