-- Change a guarded balance and its held amount.  The constraint balance_covers_its_holds refuses; there is
-- no EXCEPTION block, which would cost a subtransaction on every posting.
CREATE OR REPLACE FUNCTION ledger_move(p_account uuid, p_book text, p_posted bigint, p_held bigint)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET posted = posted + p_posted, held = held + p_held
    WHERE account_id = p_account AND book = p_book;
    IF NOT FOUND THEN
        INSERT INTO balances (account_id, book, posted, held)
        VALUES (p_account, p_book, p_posted, p_held)
        ON CONFLICT ON CONSTRAINT balances_pkey DO UPDATE
        SET posted = balances.posted + p_posted, held = balances.held + p_held;
    END IF;
END $$;
