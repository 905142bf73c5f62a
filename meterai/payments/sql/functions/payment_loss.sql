-- Facts about a payment that was taken back: whether all of it was, whether the payer's bank took any of it, and how often a
-- part of the loss was covered.
-- Public: orders: an order ends if nothing of its payment is left.
CREATE OR REPLACE FUNCTION payment_loss(
    p_account uuid, p_attempt uuid, p_payment text,
    OUT is_whole boolean, OUT is_denied boolean, OUT findings integer
)
LANGUAGE sql STABLE AS $$
    SELECT b.posted - b.won >= c.amount, b.posted > b.won, b.findings
    FROM chargebacks b JOIN captures c USING (account_id, attempt_id, payment)
    WHERE b.account_id = p_account AND b.attempt_id = p_attempt AND b.payment = p_payment;
$$;
