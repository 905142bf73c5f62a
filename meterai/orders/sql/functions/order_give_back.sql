-- Public: refunds, for what is left over when a loss was found.
CREATE OR REPLACE FUNCTION order_give_back(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint, p_cause text,
    p_key text DEFAULT NULL
) RETURNS void
LANGUAGE sql AS $$
    SELECT emit(p_account, 'money_to_return', jsonb_build_object(
        'order', p_order, 'attempt', p_attempt, 'payment', p_payment, 'amount', p_amount,
        'cause', p_cause, 'key', coalesce(p_key, p_cause || ':' || p_attempt || ':' || p_payment)));
$$;
