-- Emit the event that a refund, or a compensation for its lateness, waits for a bank account of the buyer.
CREATE OR REPLACE FUNCTION refund_want_account(p_account uuid, p_refund uuid) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'account_wanted', jsonb_build_object('refund', p_refund));
$$;
