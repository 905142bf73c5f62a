-- Takes the fees that a seller owes, because they were returned to buyers, from its deposit as far as that suffices.
-- The caller has locked the distributor.
CREATE OR REPLACE FUNCTION fee_collect(p_account uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_amount bigint;
BEGIN
    SELECT owed INTO v_amount FROM seller_debts WHERE account_id = p_account;
    IF v_amount > 0 THEN
        v_amount := least(v_amount, coalesce(ledger_free(p_account, 'deposits'), 0));
    END IF;
    IF v_amount > 0 THEN
        PERFORM fee_book(p_account, p_account, (
            SELECT count(*)::integer + 1 FROM fee_moves WHERE account_id = p_account AND order_id = p_account),
            p_account, 0, 0, -v_amount, 'fee_collected');
    END IF;
END $$;
