-- Confirms a deposit of a collector to the treasury, which reduces the debt of its month. A repeat changes nothing. If
-- two collectors name the same receipt, it belongs to the deposit that is confirmed first. Refuses 'ntpn_used',
-- 'deposit_beyond_due'.
CREATE OR REPLACE FUNCTION collector_confirm(p_account uuid, p_deposit uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_deposit collector_deposits;
    v_open bigint;
BEGIN
    PERFORM 1 FROM collectors WHERE account_id = p_account FOR UPDATE;
    SELECT * INTO v_deposit FROM collector_deposits
    WHERE account_id = p_account AND deposit_id = p_deposit AND state = 'told';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(v_deposit.ntpn, 0));
    IF EXISTS (SELECT 1 FROM collector_deposits WHERE ntpn = v_deposit.ntpn AND state = 'confirmed') THEN
        PERFORM refuse('ntpn_used');
    END IF;
    SELECT open INTO v_open FROM collector_dues(p_account) WHERE month = v_deposit.month;
    IF v_deposit.amount > coalesce(v_open, 0) THEN
        PERFORM refuse('deposit_beyond_due', jsonb_build_object('due', coalesce(v_open, 0)));
    END IF;
    UPDATE collector_deposits SET state = 'confirmed', confirmed_at = now()
    WHERE account_id = p_account AND deposit_id = p_deposit;
    UPDATE collector_months SET deposited = deposited + v_deposit.amount
    WHERE account_id = p_account AND month = v_deposit.month;
    PERFORM ledger_post(p_account, 'collected:' || p_deposit, 'collector_deposited', p_deposit,
                        ARRAY['duty_payable', 'collectors_due'], ARRAY[-v_deposit.amount, v_deposit.amount]);
END $$;
