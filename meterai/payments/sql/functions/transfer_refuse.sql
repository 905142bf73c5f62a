-- Record that a transfer will not be made, or that its money came back: its account accepts no money, and its refunds wait for
-- another account.  If it had settled refunds, their money is with their payments again, and an event reports that to the
-- room orders.  Answers the state of the transfer.
CREATE OR REPLACE FUNCTION transfer_refuse(p_account uuid, p_transfer uuid, p_answer text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_transfer transfers;
    v_refund uuid;
    v_was_made boolean;
    v_is_wanted boolean;
    v_now timestamptz := now();
    v_next timestamptz := now() + interval '1 hour';
BEGIN
    SELECT * INTO v_transfer FROM transfer_lock(p_account, p_transfer);
    v_was_made := v_transfer.state = 'settled';
    IF v_transfer.state IS NULL OR v_transfer.state NOT IN ('sent', 'accepted', 'settled') THEN
        RETURN v_transfer.state;
    END IF;
    UPDATE transfers SET state = CASE WHEN v_was_made THEN 'returned' ELSE 'refused' END, last_answer = p_answer,
        leased_until = NULL, returned_at = CASE WHEN v_was_made THEN v_now END,
        look_at = CASE WHEN NOT v_was_made THEN v_next END
    WHERE account_id = p_account AND transfer_id = p_transfer;
    UPDATE payees SET ended_at = now()
    WHERE account_id = p_account AND payee_id = v_transfer.payee_id AND ended_at IS NULL;
    PERFORM ledger_lock(p_account);
    IF v_was_made THEN
        PERFORM refund_reversed(p_account, refund_id, 0) FROM (
            SELECT refund_id FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer
                AND state = 'settled' ORDER BY refund_id) carried;
        PERFORM ledger_post(p_account, 'returned:' || c.refund_id || ':' || c.day || ':' || p_transfer,
            'transfer_returned', r.order_id, ARRAY['refund_float', 'refunds_payable'], ARRAY[-c.amount, c.amount])
        FROM compensations c JOIN refunds r USING (account_id, refund_id)
        WHERE c.account_id = p_account AND c.transfer_id = p_transfer;
        IF v_transfer.lost > 0 THEN
            PERFORM ledger_post(p_account, 'returned:' || p_transfer, 'transfer_returned', p_transfer,
                ARRAY['refund_float', 'denied_loss'], ARRAY[-v_transfer.lost, v_transfer.lost]);
        END IF;
    ELSE
        UPDATE refunds SET state = 'requested', tries = 0, last_answer = p_answer
        WHERE account_id = p_account AND transfer_id = p_transfer AND refund_is_open(state);
    END IF;
    v_is_wanted := NOT payee_is_named(p_account);
    UPDATE refunds SET way = 'claim', wanted_at = v_now
    WHERE v_is_wanted AND account_id = p_account AND way = 'transfer' AND state = 'requested'
        AND NOT transfer_is_open(p_account, transfer_id);
    -- Not for refunds whose money came back: another refund of their payment begins, and asks for an account itself.
    IF NOT v_was_made OR NOT EXISTS (
        SELECT 1 FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer) THEN
        SELECT refund_id INTO v_refund FROM (
            SELECT refund_id FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer
            UNION ALL
            SELECT refund_id FROM compensations WHERE account_id = p_account AND transfer_id = p_transfer) carried
        LIMIT 1;
        PERFORM refund_want_account(p_account, v_refund) WHERE v_is_wanted;
    END IF;
    RETURN CASE WHEN v_was_made THEN 'returned' ELSE 'refused' END;
END $$;
