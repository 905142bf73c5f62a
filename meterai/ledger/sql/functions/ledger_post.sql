-- Post one entry.  Returns true if it is new, false if exactly the same entry exists.  Refuses
-- `entry_differs` if a different entry has the id, and `entry_unbalanced` if the legs of a unit
-- do not add up to zero, or if there are no legs.
-- Public: every room whose acts move money or stamps.
CREATE OR REPLACE FUNCTION ledger_post(
    p_account uuid, p_entry text, p_reason text, p_subject uuid,
    p_books text[], p_amounts bigint[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_book text;
    v_amount bigint;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM unnest(p_books, p_amounts) AS leg (book, amount) WHERE leg.amount <> 0
    ) OR EXISTS (
        SELECT 1 FROM unnest(p_books, p_amounts) AS leg (book, amount)
        GROUP BY unit_of(leg.book)
        HAVING sum(leg.amount) <> 0 OR unit_of(leg.book) IS NULL OR count(*) <> count(leg.amount)
    ) THEN
        PERFORM refuse('entry_unbalanced', jsonb_build_object('entry', p_entry));
    END IF;
    INSERT INTO entries (account_id, entry_id, reason, subject)
    VALUES (p_account, p_entry, p_reason, p_subject)
    ON CONFLICT ON CONSTRAINT entries_pkey DO NOTHING;
    IF NOT FOUND THEN
        -- Compared in both directions: reason, subject and exactly the same legs.
        IF NOT EXISTS (
            SELECT 1 FROM entries WHERE account_id = p_account AND entry_id = p_entry
                AND reason = p_reason AND subject = p_subject
        ) OR EXISTS (
            SELECT 1 FROM (
                SELECT book, amount FROM unnest(p_books, p_amounts) AS leg (book, amount)
                WHERE amount <> 0) AS given
            FULL JOIN (
                SELECT book, credit - debit AS amount FROM legs
                WHERE account_id = p_account AND entry_id = p_entry) AS kept USING (book)
            WHERE given.amount IS DISTINCT FROM kept.amount
        ) THEN
            PERFORM refuse('entry_differs', jsonb_build_object('entry', p_entry));
        END IF;
        RETURN false;
    END IF;
    FOR v_book, v_amount IN
        -- Always in the order of the books, so that two entries never deadlock.
        SELECT book, amount FROM unnest(p_books, p_amounts) AS leg (book, amount)
        WHERE amount <> 0 ORDER BY book
    LOOP
        INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
        VALUES (p_account, p_entry, v_book, unit_of(v_book),
                greatest(-v_amount, 0), greatest(v_amount, 0));
        IF is_guarded(v_book) THEN
            PERFORM ledger_move(p_account, v_book, v_amount, 0);
        END IF;
    END LOOP;
    RETURN true;
END $$;
