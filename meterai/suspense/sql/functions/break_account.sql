-- Public: refunds, for the audit of booked differences.
-- The book of the account that a record is of: `refund_float` for transfers, `bank_clearing` for money at providers.
CREATE OR REPLACE FUNCTION break_account(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN starts_with(p_key, 'record:float:') THEN 'refund_float' ELSE 'bank_clearing' END;
$$;
