-- A payment that its payer's bank had wholly taken back is with us again.  Answers the rupiah that were booked and the id
-- of their entry; nothing where it was booked before.
-- Public: orders, which hears that a charge-back was won.
CREATE OR REPLACE FUNCTION payment_book_won(
    p_account uuid, p_attempt uuid, p_payment text, p_subject uuid, OUT amount bigint, OUT entry text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_total bigint;
BEGIN
    SELECT w.amount, w.total INTO amount, v_total FROM payment_mark_won(p_account, p_attempt, p_payment) w;
    IF amount IS NOT NULL THEN
        entry := 'won:' || p_attempt || ':' || p_payment || ':' || v_total;
        PERFORM ledger_lock(p_account);
        PERFORM ledger_post(p_account, entry, 'chargeback_won', p_subject,
            ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-amount, amount]);
    END IF;
END $$;
