-- Post new entries of two books of one unit: the n-th entry moves the n-th amount from one book to the other.  Refuses
-- `entry_unbalanced` for invalid books or an invalid amount; an id that exists is a fault of the caller.
-- Public: stamps, which affixes stamps to several documents.
CREATE OR REPLACE FUNCTION ledger_post_each(
    p_account uuid, p_entries text[], p_reason text, p_subjects uuid[], p_from text, p_to text, p_amounts bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_unit text := unit_of(p_from);
    v_sum bigint := (SELECT sum(amount) FROM unnest(p_amounts) AS amount);
BEGIN
    IF v_unit IS DISTINCT FROM unit_of(p_to) OR v_unit IS NULL OR p_from = p_to OR 0 >= ANY (p_amounts) IS NOT FALSE THEN
        PERFORM refuse('entry_unbalanced', jsonb_build_object('entry', p_entries[1]));
    END IF;
    INSERT INTO entries (account_id, entry_id, reason, subject)
    SELECT p_account, e.entry, p_reason, e.subject FROM unnest(p_entries, p_subjects) AS e (entry, subject);
    INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
    SELECT p_account, e.entry, b.book, v_unit,
        CASE b.book WHEN p_from THEN e.amount ELSE 0 END, CASE b.book WHEN p_to THEN e.amount ELSE 0 END
    FROM unnest(p_entries, p_amounts) AS e (entry, amount) CROSS JOIN unnest(ARRAY[p_from, p_to]) AS b (book);
    IF is_guarded(p_from) THEN
        PERFORM ledger_move(p_account, p_from, -v_sum, 0);
    END IF;
    IF is_guarded(p_to) THEN
        PERFORM ledger_move(p_account, p_to, v_sum, 0);
    END IF;
END $$;
