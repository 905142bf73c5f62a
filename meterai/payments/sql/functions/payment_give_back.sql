-- Emit the event that money of a payment is to be refunded: the room refunds begins the refund.
-- Public: orders, for money that an order does not use.
CREATE OR REPLACE FUNCTION payment_give_back(
    p_account uuid, p_subject uuid, p_attempt uuid, p_payment text, p_amount bigint, p_cause text,
    p_key text DEFAULT NULL
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'money_to_return', jsonb_build_object(
        'order', p_subject, 'attempt', p_attempt, 'payment', p_payment, 'amount', p_amount,
        'cause', p_cause, 'key', coalesce(p_key, p_cause || ':' || p_attempt || ':' || p_payment)));
$$;
