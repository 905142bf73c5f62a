-- The stamping will not happen: the stamps go back where they came from, the serials are void.
-- Where the issuer took back what a stamp was paid with, it leaves the world at this moment: nobody
-- may use it in between.
-- Public: stamping, which could not stamp a document.
CREATE OR REPLACE FUNCTION stamps_release(p_account uuid, p_stamping uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
BEGIN
    -- Orders before balances before lots, as everybody locks them.
    PERFORM 1 FROM orders o
    WHERE o.account_id = p_account AND o.order_id IN (
        SELECT lot_id FROM stamps WHERE account_id = p_account AND stamping_id = p_stamping)
    ORDER BY o.order_id FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM chargebacks c JOIN stamps s
            ON s.account_id = c.account_id AND s.lot_id = c.subject
        WHERE c.account_id = p_account AND c.lost > 0 AND s.stamping_id = p_stamping) THEN
        PERFORM ledger_lock(p_account);
    END IF;
    IF NOT ledger_resolve(p_account, p_stamping, 'voided') THEN
        RETURN false;
    END IF;
    PERFORM stamps_leave_hold(p_account, p_stamping, 'void');
    FOR v_order IN
        SELECT * FROM orders o
        WHERE o.account_id = p_account AND o.order_id IN (
            SELECT lot_id FROM stamps WHERE account_id = p_account AND stamping_id = p_stamping)
        ORDER BY o.order_id
    LOOP
        PERFORM refund_recover(p_account, v_order.order_id, v_order.paid_attempt,
                               v_order.paid_payment);
    END LOOP;
    RETURN true;
END $$;
