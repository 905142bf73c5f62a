-- A provider pays into our account, less its fee and the tax on that.  Answers false where the line is booked.
CREATE OR REPLACE FUNCTION settlement_book(
    p_settlement uuid, p_provider text, p_line text, p_settled_at timestamptz, p_net bigint, p_fee bigint, p_tax bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlement_lines (settlement_id, provider, line, settled_at, net, fee, tax)
    VALUES (p_settlement, p_provider, p_line, p_settled_at, p_net, p_fee, p_tax)
    ON CONFLICT ON CONSTRAINT settlement_line_is_booked_once DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- It is of no account, so it is under the nil account.
    PERFORM ledger_post('00000000-0000-0000-0000-000000000000', 'settlement:' || p_settlement,
        'settlement_booked', p_settlement,
        ARRAY['bank_clearing', 'bank_account', 'provider_fee', 'provider_tax'],
        ARRAY[p_net + p_fee + p_tax, -p_net, -p_fee, -p_tax]);
    RETURN true;
END $$;
