-- Posted amount of a guarded book of an account; 0 without any entry.
-- Public: distribution, whose deposits are such a book.
CREATE OR REPLACE FUNCTION ledger_book(p_account uuid, p_book text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT posted FROM balances WHERE account_id = p_account AND book = p_book), 0);
$$;
