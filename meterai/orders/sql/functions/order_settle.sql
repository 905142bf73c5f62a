-- Book a captured payment to its order and issue the stamps.  Returns the outcome, which depends on the amount and on the
-- state of the order:
--   executed   stamps issued              paid      in flight: documents, or issuing is stopped
--   short      less than the total        double    the order was paid before
--   late       the order is closed        denied    the payer's bank has already taken it back
-- Money that the order does not use (all of it if short, double or late; the surplus if too much) is in the book
-- buyer_funds, and the event `money_to_return` tells the room refunds.  An earlier chargeback of the payment is deducted
-- first.
CREATE OR REPLACE FUNCTION order_settle(
    p_account uuid, p_order uuid, p_attempt uuid, p_payment text, p_amount bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_cause text;
    v_amount bigint;
    v_now timestamptz := now();
BEGIN
    SELECT * INTO v_order FROM orders
    WHERE account_id = p_account AND order_id = p_order FOR UPDATE;
    IF v_order.paid_attempt = p_attempt AND v_order.paid_payment = p_payment THEN
        RETURN v_order.state;
    END IF;
    v_amount := p_amount - payment_book_loss(p_account, p_attempt, p_payment);
    IF v_amount < p_amount THEN
        PERFORM payment_find_loss(p_account, p_attempt, p_payment, 0);
    END IF;
    IF v_amount <= 0 THEN
        RETURN 'denied';
    END IF;
    v_cause := CASE
        WHEN v_order.state IN ('paid', 'executed', 'returning', 'returned') THEN 'double'
        WHEN v_order.state IN ('withdrawn', 'denied') THEN 'late'
        WHEN v_amount < v_order.total THEN 'short'
    END;
    IF v_cause IS NOT NULL THEN
        PERFORM payment_give_back(p_account, p_order, p_attempt, p_payment, v_amount, v_cause);
        RETURN v_cause;
    END IF;
    UPDATE orders SET state = 'paid', paid_at = v_now, paid_attempt = p_attempt,
        paid_payment = p_payment, due_at = v_now + make_interval(secs => due_seconds)
    WHERE account_id = p_account AND order_id = p_order;
    IF v_amount > v_order.total THEN
        PERFORM payment_give_back(p_account, p_order, p_attempt, p_payment,
                                  v_amount - v_order.total, 'excess');
    END IF;
    RETURN order_execute(p_account, p_order);
END $$;
