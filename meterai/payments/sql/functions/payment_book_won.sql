-- Book a chargeback that was won, after which the payer's bank keeps `p_left` rupiah (0 if all of it was won).  Answers the
-- rupiah booked and the id of their entry; NULLs if the bank keeps as much as before.
-- Public: orders, on the event that a chargeback was won.
CREATE OR REPLACE FUNCTION payment_book_won(
    p_account uuid, p_attempt uuid, p_payment text, p_subject uuid, p_left bigint,
    OUT amount bigint, OUT entry text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_back chargebacks;
BEGIN
    PERFORM payment_book_loss(p_account, p_attempt, p_payment);
    SELECT * INTO v_back FROM chargebacks
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment FOR UPDATE;
    IF coalesce(v_back.posted - v_back.won, 0) <= p_left THEN
        RETURN;
    END IF;
    amount := v_back.posted - v_back.won - p_left;
    entry := 'won:' || p_attempt || ':' || p_payment || ':' || v_back.won + amount;
    UPDATE chargebacks SET won = won + payment_book_won.amount, taken_back = posted, is_whole = false
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
    UPDATE captures SET denied_at = NULL
    WHERE account_id = p_account AND attempt_id = p_attempt AND payment = p_payment;
    UPDATE payment_attempts SET state = 'paid'
    WHERE account_id = p_account AND attempt_id = p_attempt AND state = 'denied';
    PERFORM ledger_lock(p_account);
    PERFORM ledger_post(p_account, entry, 'chargeback_won', p_subject,
        ARRAY['bank_clearing', 'buyer_funds'], ARRAY[-amount, amount]);
END $$;
