-- Public: refunds, whose audit knows which book a difference is booked in.
-- The book of the account whose record has a difference: that of transfers, or that of money at providers.
CREATE OR REPLACE FUNCTION break_account(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN starts_with(p_key, 'record:float:') THEN 'refund_float' ELSE 'bank_clearing' END;
$$;
