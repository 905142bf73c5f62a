-- Lock the number of a payment until the transaction ends, before the payment is captured or put into suspense.  Order of
-- locks: the attempt, then this number, then rows of suspense.
-- Public: payments, which captures payments.
CREATE OR REPLACE FUNCTION payment_number_lock(p_payment text) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('payment:' || p_payment, 0));
$$;
