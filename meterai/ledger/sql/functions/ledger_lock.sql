-- Lock every guarded balance of an account, in the one sequence in which all others that need more
-- than one of them come by.
-- Public: stamps and refunds, where more than one balance of an account moves.
CREATE OR REPLACE FUNCTION ledger_lock(p_account uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balances WHERE account_id = p_account
    ORDER BY array_position(
        ARRAY['stamps_ordered', 'buyer_funds', 'deposits', 'stamps_available', 'refunds_payable'], book)
    FOR UPDATE;
END $$;
