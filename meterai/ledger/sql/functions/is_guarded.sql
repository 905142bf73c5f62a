CREATE OR REPLACE FUNCTION is_guarded(p_book text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT p_book IN ('buyer_funds', 'deposits', 'refunds_payable', 'stamps_available', 'stamps_ordered')
$$;
