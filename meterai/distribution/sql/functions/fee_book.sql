-- Records one move of fees and posts its entry. The caller has locked the distributor.
CREATE OR REPLACE FUNCTION fee_book(
    p_account uuid, p_order uuid, p_number integer, p_buyer uuid, p_stamps integer, p_amount bigint,
    p_of_deposit bigint, p_reason text
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fee_moves (account_id, order_id, number, buyer_id, stamps, amount, of_deposit)
    VALUES (p_account, p_order, p_number, p_buyer, p_stamps, p_amount, p_of_deposit);
    IF p_of_deposit <> p_amount THEN
        UPDATE seller_debts SET owed = owed + p_of_deposit - p_amount WHERE account_id = p_account;
        IF NOT FOUND THEN
            INSERT INTO seller_debts (account_id, owed) VALUES (p_account, p_of_deposit - p_amount);
        END IF;
    END IF;
    PERFORM ledger_post(p_account, 'fee:' || p_order || ':' || p_number, p_reason, p_order,
        ARRAY['bank_clearing', 'deposits', 'fees_owed'], ARRAY[-p_amount, p_of_deposit, p_amount - p_of_deposit]);
END $$;
