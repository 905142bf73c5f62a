-- Adds the fee of a seller to its deposit. A negative amount goes back to a buyer, from the deposit as far as that
-- suffices; the seller owes the rest, and its next fees pay this debt first. A repeated move changes nothing.
CREATE OR REPLACE FUNCTION fee_move(
    p_account uuid, p_order uuid, p_number integer, p_buyer uuid, p_stamps integer, p_amount bigint
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_owed bigint;
    v_of_deposit bigint;
BEGIN
    PERFORM 1 FROM distributors WHERE account_id = p_account FOR UPDATE;
    IF EXISTS (SELECT 1 FROM fee_moves WHERE account_id = p_account AND order_id = p_order AND number = p_number) THEN
        RETURN;
    END IF;
    SELECT coalesce(max(owed), 0) INTO v_owed FROM seller_debts WHERE account_id = p_account;
    v_of_deposit := CASE WHEN p_amount > 0 THEN p_amount - least(p_amount, v_owed)
        ELSE -least(-p_amount, coalesce(ledger_free(p_account, 'deposits'), 0)) END;
    PERFORM fee_book(p_account, p_order, p_number, p_buyer, p_stamps, p_amount, v_of_deposit,
                     CASE WHEN p_amount > 0 THEN 'fee_earned' ELSE 'fee_returned' END);
    IF v_of_deposit > 0 THEN
        PERFORM emit(p_account, 'deposit_grew', jsonb_build_object('order', NULL::uuid));
    END IF;
END $$;
