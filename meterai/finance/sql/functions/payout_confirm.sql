-- Confirms a payout that a line of the bank statement matches and that has a receipt of the state, and posts it.
CREATE OR REPLACE FUNCTION payout_confirm(
    p_payout uuid, p_line text, p_paid_at timestamptz, p_ntpn text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    UPDATE payouts SET state = 'confirmed', bank_line = p_line, paid_at = p_paid_at, ntpn = p_ntpn,
        ended_at = now()
    WHERE payout_id = p_payout RETURNING amount INTO v_amount;
    -- A payout belongs to no account: the nil account.
    PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'paid_out:' || p_payout,
        'duty_paid_out', p_payout, ARRAY['duty_payable', 'bank_account'], ARRAY[-v_amount, v_amount]);
END $$;
