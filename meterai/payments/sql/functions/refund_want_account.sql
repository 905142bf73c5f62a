-- Tell that a refund, or money for its lateness, waits until its buyer names a bank account.
CREATE OR REPLACE FUNCTION refund_want_account(p_account uuid, p_refund uuid) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'account_wanted', jsonb_build_object('refund', p_refund));
$$;
