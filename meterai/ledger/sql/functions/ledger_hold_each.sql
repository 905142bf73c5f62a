-- Hold parts of one balance, the n-th amount under the n-th name.  A repeat of the same hold changes nothing.
-- Public: stamps, which holds stamps for stampings.
CREATE OR REPLACE FUNCTION ledger_hold_each(p_account uuid, p_holds uuid[], p_book text, p_amounts bigint[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_held bigint;
BEGIN
    WITH made AS (
        INSERT INTO holds (account_id, hold_id, book, amount, subject)
        SELECT p_account, h.hold, p_book, h.amount, h.hold::text
        FROM unnest(p_holds, p_amounts) AS h (hold, amount)
        ON CONFLICT ON CONSTRAINT holds_pkey DO NOTHING
        RETURNING amount)
    SELECT sum(m.amount) INTO v_held FROM made m;
    IF v_held > 0 THEN
        PERFORM ledger_move(p_account, p_book, 0, v_held);
    END IF;
END $$;
