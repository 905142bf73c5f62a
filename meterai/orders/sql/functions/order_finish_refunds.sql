-- Set the last due time of an order's refunds, and close the order if no money is in flight.  Called after every change of
-- a refund.
CREATE OR REPLACE FUNCTION order_finish_refunds(p_account uuid, p_order uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_due_at timestamptz := payment_returning_due(p_account, p_order);
    v_state text;
    v_seller_fee bigint;
BEGIN
    UPDATE orders SET returning_due_at = v_due_at
    WHERE account_id = p_account AND order_id = p_order RETURNING state, seller_fee INTO v_state, v_seller_fee;
    IF v_seller_fee IS NOT NULL THEN  -- stamps may have been retired, or money may have come back
        PERFORM order_pass_fee(p_account, p_order);
    END IF;
    IF v_state = 'returning' AND ledger_in_flight(p_account, p_order) = 0 THEN
        PERFORM order_close(p_account, p_order, 'returned');
    END IF;
END $$;
