-- Change the method of an order: open attempts are closed, and another begins.  The order lapses when the new attempt
-- expires, at most `p_payable_seconds` after it was placed.
-- Returns 'begun'; 'closed' if the order cannot be paid any more; 'spent' if it had the greatest number of attempts.
CREATE OR REPLACE FUNCTION order_pay_by(
    p_account uuid, p_order uuid, p_attempt uuid, p_reference text, p_provider text, p_method text,
    p_lapses_seconds double precision, p_payable_seconds double precision, p_attempts_max integer
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_ends timestamptz;
BEGIN
    SELECT * INTO v_order FROM orders WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    v_ends := least(now() + make_interval(secs => p_lapses_seconds),
                    v_order.placed_at + make_interval(secs => p_payable_seconds));
    IF v_order.state IS DISTINCT FROM 'placed' OR v_ends <= now()
        OR coalesce(v_order.pay_until, v_order.lapses_at) <= now() THEN
        RETURN 'closed';
    ELSIF p_provider = 'credit' AND v_order.service_fee <> 0 THEN
        -- Credit is a debt of duty to the state: nobody would pay a fee, but its seller could have it paid out.
        RAISE check_violation USING MESSAGE = 'credit pays the duty alone', CONSTRAINT = 'credit_pays_duty_alone';
    ELSIF NOT payment_change(p_account, p_attempt, p_order, p_provider, p_method, p_reference,
                             v_order.total, v_ends, p_attempts_max) THEN
        RETURN 'spent';
    END IF;
    UPDATE orders SET pay_until = v_ends WHERE account_id = p_account AND order_id = p_order;
    RETURN 'begun';
END $$;
