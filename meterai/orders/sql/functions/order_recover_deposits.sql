-- Cover chargebacks of orders of a deposit, after the deposit has grown.  A repeat covers nothing.
-- Public: distribution, before a seller sells from the deposit again.
CREATE OR REPLACE FUNCTION order_recover_deposits(p_account uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_orders uuid[];
    v_order orders;
BEGIN
    -- Orders are locked before the books, as everywhere, so that transactions cannot deadlock.
    SELECT array_agg(found.order_id) INTO v_orders FROM (
        SELECT o.order_id FROM orders o JOIN order_deposits d USING (account_id, order_id)
        WHERE o.account_id = p_account AND d.added > d.withdrawn AND EXISTS (SELECT 1 FROM payment_losses(p_account) l
            WHERE l.attempt_id = o.paid_attempt AND l.payment = o.paid_payment)
        ORDER BY o.order_id FOR UPDATE OF o) found;
    FOR v_order IN SELECT * FROM orders WHERE account_id = p_account AND order_id = ANY (v_orders) ORDER BY order_id LOOP
        PERFORM order_recover(p_account, v_order.order_id, v_order.paid_attempt, v_order.paid_payment);
        PERFORM order_finish_refunds(p_account, v_order.order_id);
    END LOOP;
END $$;
