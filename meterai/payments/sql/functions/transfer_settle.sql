-- Record that the provider made a transfer, and settle its refunds.  A transfer that had been refused may have been made all
-- the same: the part of its sum that other transfers carry by now is a loss.  Answers the state of the transfer.
CREATE OR REPLACE FUNCTION transfer_settle(p_account uuid, p_transfer uuid, p_provider_no text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_transfer transfers;
    v_carried bigint;
BEGIN
    SELECT * INTO v_transfer FROM transfer_lock(p_account, p_transfer);
    IF v_transfer.state IS NULL OR v_transfer.state NOT IN ('sent', 'accepted', 'refused') THEN
        RETURN v_transfer.state;
    END IF;
    UPDATE refunds SET way = 'transfer', state = 'sent', tries = tries + 1, wanted_at = NULL
    WHERE account_id = p_account AND transfer_id = p_transfer AND state = 'requested';
    SELECT coalesce(sum(amount), 0)::bigint INTO v_carried FROM (
        SELECT amount FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer
            AND refund_is_open(state)
        UNION ALL
        SELECT amount FROM compensations WHERE account_id = p_account AND transfer_id = p_transfer) carried;
    UPDATE transfers SET state = 'settled', settled_at = now(), provider_transfer_no = p_provider_no,
        leased_until = NULL, look_at = now() + interval '1 hour', lost = amount - v_carried
    WHERE account_id = p_account AND transfer_id = p_transfer;
    -- The account accepts money after all: it becomes the current account again, unless the buyer has named another.
    UPDATE payees SET ended_at = NULL WHERE account_id = p_account AND payee_id = v_transfer.payee_id
        AND v_transfer.state = 'refused' AND NOT payee_is_named(p_account);
    PERFORM ledger_lock(p_account);
    PERFORM refund_settle(p_account, refund_id, p_provider_no) FROM (
        SELECT refund_id FROM refunds WHERE account_id = p_account AND transfer_id = p_transfer
            AND refund_is_open(state) ORDER BY refund_id) carried;
    PERFORM ledger_post(p_account, 'compensated:' || c.refund_id || ':' || c.day || ':' || p_transfer,
        'compensation_paid', r.order_id, ARRAY['refunds_payable', 'refund_float'], ARRAY[-c.amount, c.amount])
    FROM compensations c JOIN refunds r USING (account_id, refund_id)
    WHERE c.account_id = p_account AND c.transfer_id = p_transfer;
    IF v_transfer.amount > v_carried THEN
        PERFORM ledger_post(p_account, 'transferred:' || p_transfer, 'transfer_lost', p_transfer,
            ARRAY['denied_loss', 'refund_float'],
            ARRAY[v_carried - v_transfer.amount, v_transfer.amount - v_carried]);
    END IF;
    RETURN 'settled';
END $$;
