-- Hold part of a balance.  A repeat of the same hold changes nothing.
-- Public: stamps, which holds stamps for a stamping.
CREATE OR REPLACE FUNCTION ledger_hold(
    p_account uuid, p_hold uuid, p_book text, p_amount bigint, p_subject text
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO holds (account_id, hold_id, book, amount, subject)
    VALUES (p_account, p_hold, p_book, p_amount, p_subject)
    ON CONFLICT ON CONSTRAINT holds_pkey DO NOTHING;
    IF FOUND THEN
        PERFORM ledger_move(p_account, p_book, 0, p_amount);
    END IF;
END $$;
