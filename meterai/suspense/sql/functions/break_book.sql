-- The contra book for a difference with this reason and resolution; NULL if it is resolved without an entry.
-- Public: refunds, for the audit of booked items.
CREATE OR REPLACE FUNCTION break_book(p_reason text, p_resolution text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_resolution = 'written_off' THEN 'written_off'
        WHEN p_resolution = 'fee' AND p_reason = 'tax_not_booked' THEN 'provider_tax'
        WHEN p_resolution = 'fee' THEN 'provider_fee'
        WHEN p_resolution = 'matched' AND p_reason IN ('settlement_not_booked', 'float_moved') THEN 'bank_account'
    END;
$$;
