-- Lock every guarded balance of an account, always in the same sequence, so that callers do not deadlock.
-- Public: stamps and refunds, for movements of more than one balance of an account.
CREATE OR REPLACE FUNCTION ledger_lock(p_account uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balances WHERE account_id = p_account
    ORDER BY array_position(
        ARRAY['stamps_ordered', 'buyer_funds', 'deposits', 'stamps_available', 'refunds_payable'], book)
    FOR UPDATE;
END $$;
