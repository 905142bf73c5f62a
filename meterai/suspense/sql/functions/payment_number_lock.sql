-- Lock the number of a payment before it is counted, until the transaction ends; after its attempt and before
-- anything in suspense.
-- Public: payments, which captures payments.
CREATE OR REPLACE FUNCTION payment_number_lock(p_payment text) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('payment:' || p_payment, 0));
$$;
