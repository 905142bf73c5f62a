-- Of the rupiah that news reports as given back of a payment (null: all of it), the part that the books do not have; 0 for an
-- unknown payment.  Money that the payer's bank took back cannot be given back as well: if a part was charged back, news about
-- the whole payment is about the rest.
-- Public: refunds, for its audit.
CREATE OR REPLACE FUNCTION refund_not_booked(
    p_account uuid, p_attempt uuid, p_payment text, p_told bigint
) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT greatest(0, max(least(p_told, c.amount - coalesce(b.posted - b.won, 0)))
        - refund_gone(p_account, p_attempt, p_payment))
    FROM captures c LEFT JOIN chargebacks b USING (account_id, attempt_id, payment)
    WHERE c.account_id = p_account AND c.attempt_id = p_attempt AND c.payment = p_payment
        AND c.learned_by <> 'denial';
$$;
